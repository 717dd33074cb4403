// What can be typed, read off the command tree itself: commands, their options, and the values that these take. A new
// command or option is completed from the day it is there.

import type { Command } from 'commander'

/** What follows an option: nothing, the name of a file, one of a few words, or what nobody can guess. */
export type Takes = 'nothing' | 'file' | 'text' | readonly string[]

export interface OptionWords {
  /** `--config` */
  readonly flag: string
  /** `-h`, without its dash. */
  readonly short?: string
  readonly description: string
  readonly takes: Takes
  /** Whether what it takes may be left out. */
  readonly optional: boolean
}

export interface CommandWords {
  readonly name: string
  readonly description: string
  readonly options: readonly OptionWords[]
  /** What its argument may be, where that is one of a few words. */
  readonly choices: readonly string[]
}

const optionsOf = (command: Command): OptionWords[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map(option => {
      const { long, short, flags, description, argChoices, required, optional } = option
      const takes: Takes =
        argChoices ?? (/[<[](file)[>\]]/.test(flags) ? 'file' : required || optional ? 'text' : 'nothing')
      return { flag: String(long), ...(short && { short: short.slice(1) }), description, takes, optional }
    })

/** Of a command that has commands of its own these are its first words, and their options are its own. */
const wordsOf = (command: Command, parts: readonly Command[] = []): CommandWords => {
  const options = new Map([command, ...parts].flatMap(optionsOf).map(option => [option.flag, option]))
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
  return {
    name: command.name(),
    description: command.description(),
    options: [...options.values()],
    choices: [...choices, ...parts.map(part => part.name())],
  }
}

/** The program, and its commands. */
export const readTree = (
  program: Command,
): { readonly program: CommandWords; readonly commands: readonly CommandWords[] } => {
  const commands = program
    .createHelp()
    .visibleCommands(program)
    .map(command => wordsOf(command, command.commands))
  const names = commands.map(({ name }) => name)
  return {
    program: wordsOf(program),
    // The argument of `help` is a command.
    commands: commands.map(each => (each.name === 'help' ? { ...each, choices: names } : each)),
  }
}
export type Tree = ReturnType<typeof readTree>
