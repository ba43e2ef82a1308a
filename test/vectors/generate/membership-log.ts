/** What vectors of the membership log are made of: devices, logs, and entries that stand after them. */

import {
  type CborValue,
  encodeCbor,
  fromHex,
  publicKeyOfDevice,
  sha256Hex,
  type Signer,
  signerFromSeed,
  signStatement,
  toHex,
} from '../../../protocol/index.ts'
import type { Vector } from '../format.ts'

const signer = (value: number): Signer => signerFromSeed(new Uint8Array(32).fill(value))
export const KEEPER = signer(7)
export const WRITER = signer(8)
export const STRANGER = signer(9)
export const key = (of: Signer): Uint8Array => publicKeyOfDevice(of.device)
export const AT_MS = 1_700_000_000_000

export const [FOUND, ADMIT, REMOVE, CHANGE, GOAL] = [0, 1, 2, 3, 4]
/** Bits of backup, read, store; of all that a keeper has; of admit alone; of a writer that leans. */
export const [WRITES, ALL, ADMITS, LEANS] = [7, 31, 16, 39]
/** Numbers of the roles. */
export const [AS_KEEPER, AS_WRITER, AS_STORER] = [0, 1, 2]

export function terms(name: string, role: number, bits: number): CborValue {
  return [name, role, bits, null, null]
}

/** Content of a signed entry. */
function contentOf(entry: Uint8Array): Uint8Array {
  return entry.subarray(0, -64)
}

/** The content of an entry that stands after the log given. */
export function contentAfter(
  log: readonly Uint8Array[],
  by: Signer,
  kind: number,
  values: readonly CborValue[],
): CborValue[] {
  const first = log[0]
  const last = log.at(-1)
  const mesh = first === undefined ? null : fromHex(sha256Hex(contentOf(first)))
  const prev = last === undefined ? null : fromHex(sha256Hex(contentOf(last)))
  return [1, mesh, log.length, prev, key(by), AT_MS, kind, ...values]
}

export function sign(values: readonly CborValue[], by: Signer): Uint8Array {
  return signStatement('membership', encodeCbor(values), by)
}

/** An entry that stands after the log given. */
export function entryAfter(
  log: readonly Uint8Array[],
  by: Signer,
  kind: number,
  values: readonly CborValue[],
): Uint8Array {
  return sign(contentAfter(log, by, kind, values), by)
}

export const FOUNDING = entryAfter([], KEEPER, FOUND, [
  new Uint8Array(16).fill(1),
  terms('desktop', AS_KEEPER, ALL),
  null,
])
export const FOUNDED = [FOUNDING]
export const ADMITTED = [
  FOUNDING,
  entryAfter(FOUNDED, KEEPER, ADMIT, [key(WRITER), 1, terms('laptop', AS_WRITER, WRITES), null]),
]
export const REMOVED = [
  ...ADMITTED,
  entryAfter(ADMITTED, KEEPER, REMOVE, [key(WRITER), [5, new Uint8Array(32).fill(2), null]]),
]
/** Its keeper leaves storing to others: it has no `store`. */
export const THIN_KEEPER = [
  ...ADMITTED,
  entryAfter(ADMITTED, KEEPER, CHANGE, [key(KEEPER), terms('desktop', AS_KEEPER, ALL - 4), null]),
]
export const ADMITTER = [
  FOUNDING,
  entryAfter(FOUNDED, KEEPER, ADMIT, [key(WRITER), 1, terms('laptop', AS_WRITER, ADMITS), null]),
]

export function good(name: string, rule: string, log: readonly Uint8Array[]): Vector {
  const last = log.at(-1) as Uint8Array
  const header = {
    spec: `membership.md ${rule}`,
    expect: 'success',
    log: log.slice(0, -1).map(toHex).join(' '),
  }
  return { name, header: { ...header, hash: sha256Hex(contentOf(last)) }, body: last }
}

export interface Fault {
  readonly rule: string
  readonly reason: string
  readonly expect?: string
}

export function bad(
  name: string,
  { rule, reason, expect = 'MEMBERSHIP_INVALID' }: Fault,
  log: readonly Uint8Array[],
  body: Uint8Array,
): Vector {
  return {
    name,
    header: { spec: `membership.md ${rule}`, expect, reason, log: log.map(toHex).join(' ') },
    body,
  }
}

/** An entry that may not stand after the log. */
export function refused(
  name: string,
  fault: Fault,
  log: readonly Uint8Array[],
  by: Signer,
  kind: number,
  values: readonly CborValue[],
): Vector {
  return bad(name, fault, log, entryAfter(log, by, kind, values))
}
