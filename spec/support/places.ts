// Pages that are partly written by hand and partly from the sources: what is written from them stands between
// `<!-- NAME -->` and `<!-- /NAME -->`.

/** The page with these tables in their places. Throws where a place is missing. */
export const withTables = (page: string, tables: Readonly<Record<string, string>>): string =>
  Object.entries(tables).reduce((text, [name, table]) => {
    const [head, rest = ''] = text.split(`<!-- ${name} -->`)
    const [, tail] = rest.split(`<!-- /${name} -->`)
    if (tail === undefined) throw new Error(`the page has no place for ${name}`)
    return `${head}<!-- ${name} -->\n\n${table.trimEnd()}\n\n<!-- /${name} -->${tail}`
  }, page)
