// One document of the corpus: what it is, its text, and exactly what comes of it.

export interface Specimen {
  readonly title: string
  readonly twiml: string
  readonly gives:
    | { readonly steps: readonly object[]; readonly warnings?: readonly string[] }
    /** As `line:column message`. */
    | { readonly faults: readonly string[] }
}
