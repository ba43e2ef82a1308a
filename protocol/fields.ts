/** Reads the items of a decoded CBOR array one after the other, each checked against its type and bounds. */

import { CellarError, type ErrorCode } from './errors.ts'

/** Words for the errors of one reading. */
export interface FieldsOptions {
  /** What is being read, for the message of an error: "a root chunk". */
  readonly what: string
  /** The code thrown for anything wrong. @defaultValue FORMAT_INVALID */
  readonly code?: ErrorCode
}

/** A cursor over the items of one array. */
export class Fields {
  readonly #items: readonly unknown[]
  readonly #options: FieldsOptions
  #next = 0

  /** @throws {CellarError} `options.code` when `value` is not an array */
  constructor(value: unknown, options: FieldsOptions) {
    this.#options = options
    this.#items = Array.isArray(value) ? (value as unknown[]) : this.fail('not an array')
  }

  /** How many items are left. */
  get left(): number {
    return this.#items.length - this.#next
  }

  /** Throws the error of this reading, naming the item read last. */
  fail(reason: string): never {
    throw new CellarError(
      this.#options.code ?? 'FORMAT_INVALID',
      `${this.#options.what} is invalid: ${reason}`,
      {
        field: this.#next,
      },
    )
  }

  /** The next item, of whatever type. */
  any(): unknown {
    if (this.#next >= this.#items.length) this.fail('a field is missing')
    return this.#items[this.#next++]
  }

  /** A whole number 0 .. max. */
  uint(max: number = Number.MAX_SAFE_INTEGER): number {
    return this.int(0, max)
  }

  /** A whole number min .. max, both safe integers. */
  int(min: number, max: number): number {
    const value = this.any()
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
      this.fail('a number is out of range')
    return value
  }

  /** A whole number of 64 bits, signed or not. */
  bigint(min: bigint, max: bigint): bigint {
    const value = this.any()
    const big = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
    if (typeof big !== 'bigint' || big < min || big > max) this.fail('a number is out of range')
    return big
  }

  /** Bytes, min .. max of them. */
  bytes(min: number, max: number = min): Uint8Array {
    const value = this.any()
    if (!(value instanceof Uint8Array) || value.byteLength < min || value.byteLength > max)
      this.fail('bytes of a wrong length')
    return value
  }

  /** Text of at most `max` bytes of UTF-8. */
  text(max: number): string {
    const value = this.any()
    if (typeof value !== 'string' || Buffer.byteLength(value) > max) this.fail('text is missing or too long')
    return value
  }

  /** True or false. */
  boolean(): boolean {
    const value = this.any()
    if (typeof value !== 'boolean') this.fail('neither true nor false')
    return value
  }

  /** Whether the next item is null; then it is passed over. */
  skipNull(): boolean {
    if (this.left === 0 || this.#items[this.#next] !== null) return false
    this.#next++
    return true
  }

  /** An array of at most `max` items, each made by `read` from its value. */
  list<T>(max: number, read: (value: unknown, position: number) => T): T[] {
    const value = this.any()
    if (!Array.isArray(value) || value.length > max) this.fail('a list is missing or too long')
    return (value as unknown[]).map(read)
  }

  /** A nested array as a cursor of its own, with the same words. */
  nested(value: unknown = this.any()): Fields {
    return new Fields(value, this.#options)
  }

  /** Refuses anything left over. */
  end(): void {
    if (this.left > 0) this.fail('too many fields')
  }
}
