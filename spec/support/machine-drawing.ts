// Draws an xstate machine as a Mermaid state diagram, from its definition and nothing else.

import type { AnyStateMachine, AnyStateNode } from 'xstate'

const edges = (node: AnyStateNode): string[] =>
  [...node.transitions].flatMap(([event, transitions]) =>
    transitions.flatMap(({ target = [] }) => target.map(to => `${node.key} --> ${to.key}: ${event}`)),
  )

/** One flat machine, or one region of a parallel one. What is on the region itself leads there from each state. */
const region = (node: AnyStateNode): string[] => {
  const states = Object.values(node.states)
  const [initial] = node.initial.target
  return [
    `[*] --> ${initial?.key}`,
    ...states.flatMap(edges),
    ...[...node.transitions].flatMap(([event, transitions]) =>
      transitions.flatMap(({ target = [] }) => target.map(to => `any_${node.key} --> ${to.key}: ${event}`)),
    ),
  ]
}

const indent = (lines: readonly string[]): string[] => lines.map(line => `  ${line}`)

export const draw = ({ root }: AnyStateMachine): string => {
  const regions = root.type === 'parallel' ? Object.values(root.states) : [root]
  const body = regions.flatMap((each, index) => [...(index > 0 ? ['--'] : []), ...region(each)])
  const lines = root.type === 'parallel' ? [`state ${root.key} {`, ...indent(body), '}'] : body
  return ['```mermaid', 'stateDiagram-v2', ...indent(lines), '```'].join('\n')
}
