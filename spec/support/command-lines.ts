// As much of a shell as documentation needs: words with quotes and `\` at the end of a line, variables, `$(…)`,
// assignments before a command, `export`, `&&`. What a command does is the reader's to say, by its name.

/** What one command line says, once its words are expanded. */
export interface Command {
  readonly name: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export type Run = (command: Command) => Promise<string>

const quoted = /"((?:[^"\\]|\\.)*)"|'([^']*)'/y
const substitution = /\$\(((?:[^()"']|"[^"]*"|'[^']*')*)\)/y
const variable = /\$\{?(\w+)\}?/y
const bare = /[^\s"'$\\]+/y

const at = (pattern: RegExp, text: string, index: number): RegExpExecArray | null => {
  pattern.lastIndex = index
  return pattern.exec(text)
}

export class CommandLines {
  /** What was exported, and is seen by every later command. */
  readonly env: Record<string, string>
  readonly #run: Run

  constructor(run: Run, env: Readonly<Record<string, string>> = {}) {
    this.#run = run
    this.env = { ...env }
  }

  /** Runs each command of a block, one after the other; what the last one says. */
  async run(block: string): Promise<string> {
    let said = ''
    const lines = block.replace(/\\\n\s*/g, ' ').split('\n')
    for (const line of lines.flatMap(line => line.split(' && '))) {
      if (line.trim() !== '') said = await this.#line(line)
    }
    return said
  }

  async #line(line: string): Promise<string> {
    const words = await this.#words(line)
    const env: Record<string, string> = {}
    const assigned = ([word = '']: readonly string[]) => /^(\w+)=(.*)$/s.exec(word)
    if (words[0] === 'export') {
      for (let left = words.slice(1); left.length > 0; left = left.slice(1)) {
        const [, name = '', value = ''] = assigned(left) ?? []
        this.env[name] = value
      }
      return ''
    }
    let left = words
    for (let match = assigned(left); match !== null; match = assigned(left)) {
      env[String(match[1])] = String(match[2])
      left = left.slice(1)
    }
    const [name = '', ...args] = left
    return this.#run({ name, args, env: { ...this.env, ...env } })
  }

  async #words(line: string): Promise<string[]> {
    const words: string[] = []
    let word: string | undefined
    let index = 0
    while (index < line.length) {
      if (/\s/.test(line[index] as string)) {
        if (word !== undefined) words.push(word)
        word = undefined
        index++
        continue
      }
      const [text, length] = await this.#part(line, index)
      word = (word ?? '') + text
      index += length
    }
    return word === undefined ? words : [...words, word]
  }

  async #part(line: string, index: number): Promise<[text: string, length: number]> {
    const quote = at(quoted, line, index)
    if (quote !== null) {
      const [whole, double, single = ''] = quote
      const text = double
        ?.replace(/\$\{?(\w+)\}?/g, (_, name) => this.env[name] ?? '')
        .replace(/\\(.)/g, '$1')
      return [text ?? single, whole.length]
    }
    const inner = at(substitution, line, index)
    if (inner !== null) return [(await this.#line(String(inner[1]))).trimEnd(), inner[0].length]
    const name = at(variable, line, index)
    if (name !== null) return [this.env[String(name[1])] ?? '', name[0].length]
    const plain = at(bare, line, index)
    if (plain === null) throw new Error(`cannot read ${line.slice(index)}`)
    return [plain[0], plain[0].length]
  }
}
