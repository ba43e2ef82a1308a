/** The first words on a connection: what each end is to the other (mesh.md §2). Encoding only. */

import { decode, encode } from 'cborg'
import { addressBytesMax, addressesPerDeviceMax, CellarError } from '../../protocol/index.ts'

/** Said by the caller, and answered in kind. */
export interface Hello {
  /** 16 random bytes of the running program, hex: another one under the same device id is another start of it. */
  readonly instance: string
  /** Where the sender can be called; told to members only. */
  readonly addresses: readonly string[]
}

/** What the called one says the caller is to it. */
export type Verdict = 'member' | 'guest' | 'refused'

export interface HelloAnswer extends Hello {
  readonly verdict: Verdict
}

/** The protocol of these words. */
export const helloProtocol = '/rootcellar/hello/1'

const verdicts: readonly Verdict[] = ['refused', 'guest', 'member']
/** A hello or its answer. */
export const helloBytesMax = addressesPerDeviceMax * (addressBytesMax + 4) + 64

/** @returns the bytes of a hello, fresh */
export function encodeHello(hello: Hello): Uint8Array {
  return encode([1, Buffer.from(hello.instance, 'hex'), hello.addresses.slice(0, addressesPerDeviceMax)])
}

/** @throws {CellarError} `PEER_PROTOCOL` */
export function decodeHello(bytes: Uint8Array): Hello {
  const [instance, addresses] = fields(bytes, 3)
  return { instance: readInstance(instance), addresses: readAddresses(addresses) }
}

/** @returns the bytes of an answer, fresh */
export function encodeHelloAnswer(answer: HelloAnswer): Uint8Array {
  const verdict = verdicts.indexOf(answer.verdict)
  return encode([
    1,
    Buffer.from(answer.instance, 'hex'),
    answer.addresses.slice(0, addressesPerDeviceMax),
    verdict,
  ])
}

/** @throws {CellarError} `PEER_PROTOCOL` */
export function decodeHelloAnswer(bytes: Uint8Array): HelloAnswer {
  const [instance, addresses, number] = fields(bytes, 4)
  const verdict = typeof number === 'number' ? verdicts[number] : undefined
  if (verdict === undefined) throw malformed()
  return { instance: readInstance(instance), addresses: readAddresses(addresses), verdict }
}

function fields(bytes: Uint8Array, count: number): unknown[] {
  if (bytes.byteLength > helloBytesMax) throw malformed()
  let value: unknown
  try {
    value = decode(bytes, { allowIndefinite: false, allowUndefined: false, rejectDuplicateMapKeys: true })
  } catch (error) {
    throw new CellarError('PEER_PROTOCOL', 'a peer sent a hello that cannot be read', {}, { cause: error })
  }
  if (!Array.isArray(value) || value.length !== count || value[0] !== 1) throw malformed()
  return value.slice(1) as unknown[]
}

function readInstance(value: unknown): string {
  if (!(value instanceof Uint8Array) || value.byteLength !== 16) throw malformed()
  return Buffer.from(value).toString('hex')
}

function readAddresses(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > addressesPerDeviceMax) throw malformed()
  for (const one of value) if (typeof one !== 'string' || one.length > addressBytesMax) throw malformed()
  return value as string[]
}

function malformed(): CellarError {
  return new CellarError('PEER_PROTOCOL', 'a peer sent a hello of another form')
}
