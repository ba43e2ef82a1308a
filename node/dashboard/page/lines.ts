/** Reads an answer of the control API (node/spec/control.md §4): lines of JSON, and between them runs of raw bytes. Pure. */

/** One thing that a node says. */
export type Item =
  | { readonly event: unknown }
  | { readonly result: unknown }
  | { readonly error: { readonly code: string; readonly message: string } }
  | { readonly bytes: Uint8Array<ArrayBuffer> }

const NEWLINE = 10

/** Takes the pieces of an answer as they come, and gives what is complete. */
export class ItemReader {
  readonly #decoder = new TextDecoder()
  /** Pieces of a line that is not complete. */
  #line = ''
  /** Raw bytes that are still to come. */
  #raw = 0

  /** @param piece - any cut of the answer; borrowed. @returns what is complete now; bytes are views of the piece */
  read(piece: Uint8Array<ArrayBuffer>): Item[] {
    const items: Item[] = []
    let rest = piece
    while (rest.byteLength > 0) {
      if (this.#raw > 0) {
        const bytes = rest.subarray(0, this.#raw)
        this.#raw -= bytes.byteLength
        rest = rest.subarray(bytes.byteLength)
        items.push({ bytes })
        continue
      }
      const end = rest.indexOf(NEWLINE)
      this.#line += this.#decoder.decode(end < 0 ? rest : rest.subarray(0, end), { stream: end < 0 })
      if (end < 0) break
      rest = rest.subarray(end + 1)
      const said = JSON.parse(this.#line) as Item | { readonly bytes: number }
      this.#line = ''
      if ('bytes' in said && typeof said.bytes === 'number') this.#raw = said.bytes
      else items.push(said as Item)
    }
    return items
  }
}
