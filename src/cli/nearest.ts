// What somebody may have meant who mistyped a word.

const pairs = (word: string): ReadonlySet<string> =>
  new Set(Array.from({ length: word.length - 1 }, (_, at) => word.slice(at, at + 2)))

/** How much two words have in common: twice the pairs of letters that are in both, of all there are (Dice's coefficient). */
const likeness = (a: ReadonlySet<string>, b: ReadonlySet<string>): number =>
  (2 * [...a].filter(pair => b.has(pair)).length) / (a.size + b.size)

/** The few of `words` that are most like `word`, the best first; none where none is. */
export const nearest = (word: string, words: Iterable<string>): string[] => {
  const own = pairs(`^${word}$`)
  const ranked = [...new Set(words)]
    .map(each => ({ each, like: likeness(own, pairs(`^${each}$`)) }))
    .sort((a, b) => b.like - a.like)
  const best = Math.max(0, ...ranked.map(({ like }) => like))
  return ranked
    .filter(({ like }) => like > 0.3 && like > best * 0.7)
    .slice(0, 3)
    .map(({ each }) => each)
}
