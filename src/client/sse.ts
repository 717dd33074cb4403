// Server-Sent Events as a parser that takes text in any pieces (HTML Living Standard, section 9.2.6).

export interface SseEvent {
  /** The last id the stream gave; the empty string before the first. */
  readonly id: string
  /** `message` where the stream names none. */
  readonly type: string
  readonly data: string
}

export class SseParser {
  #rest = ''
  #id = ''
  #type = ''
  #data: string[] = []

  /** The events that `text` completes. What is left waits for the next piece. */
  push(text: string): SseEvent[] {
    const whole = this.#rest + text
    // A carriage return at the end may be half of a line's end.
    const end = whole.endsWith('\r') ? whole.length - 1 : whole.length
    const lines = whole.slice(0, end).split(/\r\n|\n|\r/)
    this.#rest = `${lines.pop()}${whole.slice(end)}`
    return lines.flatMap(line => this.#line(line))
  }

  #line(line: string): SseEvent[] {
    if (line === '') return this.#dispatch()
    const [field, value = ''] = line.split(/:(.*)/s)
    const said = value.startsWith(' ') ? value.slice(1) : value
    if (field === 'data') this.#data.push(said)
    else if (field === 'event') this.#type = said
    else if (field === 'id' && !said.includes('\0')) this.#id = said
    return []
  }

  #dispatch(): SseEvent[] {
    const [data, type] = [this.#data, this.#type]
    this.#data = []
    this.#type = ''
    return data.length === 0 ? [] : [{ id: this.#id, type: type || 'message', data: data.join('\n') }]
  }
}
