// Text of strangers within a message or a log line: short, and nothing that would move a terminal's cursor.

export const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}…` : text

/** What a stranger said, as one short line: no control, format or half characters, whoever shows it. */
export const plain = (text: string): string => cut(text, 256).replace(/\p{C}/gu, '\uFFFD')
