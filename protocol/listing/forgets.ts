/**
 * The digest of a chain's forgets (listing.md §4).
 *
 * A node may skip from one listing of a device to a much later one and read the newest body only. Which listing first
 * had a forget decides whether its signer was entitled (R2), on which side of a fork it stands (R1) and which horizons
 * cover it. So each head carries a digest of all forgets so far, and a body that names a wrong listing is found out.
 */

import { concatBytes, fromHex } from '../bytes.ts'
import { type CborValue, encodeCheckedCbor } from '../cbor.ts'
import { keyOfDevice, sha256Hex } from '../statement.ts'
import type { Forget, ForgetBase, ForgetReason } from './types.ts'

/** The digest of no forgets. */
export const NO_FORGETS = '0'.repeat(64)

/** The base of a body that spells out all forgets. */
export const NO_BASE: ForgetBase = { seq: 0, digest: NO_FORGETS }

/** The forgets that one listing added. */
export interface ForgetGroup {
  readonly seq: number
  readonly epoch: number
  readonly forgets: readonly Forget[]
}

const REASON_NUMBERS: Readonly<Record<ForgetReason, number>> = { person: 0, retention: 1 }

/** The reasons by their number on the wire. */
export const REASONS: readonly ForgetReason[] = ['person', 'retention']

const LABEL = Buffer.from('rootcellar/1/forgets\0', 'ascii')

/** Splits forgets, sorted by seq, by the listing that added them. */
export function groupForgets(forgets: readonly Forget[]): ForgetGroup[] {
  const groups: { seq: number; epoch: number; forgets: Forget[] }[] = []
  for (const forget of forgets) {
    const last = groups.at(-1)
    if (last?.seq === forget.seq) last.forgets.push(forget)
    else groups.push({ seq: forget.seq, epoch: forget.epoch, forgets: [forget] })
  }
  return groups
}

/** The form of one group in a body, and under the digest. */
export function groupValue(group: ForgetGroup): CborValue {
  const rows = group.forgets.map(({ dot, root, reason }) => [
    keyOfDevice(dot.device),
    dot.incarnation,
    dot.seq,
    dot.n,
    fromHex(root),
    REASON_NUMBERS[reason],
  ])
  return [group.seq, group.epoch, rows]
}

/** The digest once one more listing has added its forgets. */
export function extendDigest(digest: string, group: ForgetGroup): string {
  return sha256Hex(concatBytes([LABEL, fromHex(digest), encodeCheckedCbor(groupValue(group))]))
}

/** Digests after each listing that added forgets: `at(seq)` is the one that the head of that number must carry. */
export interface DigestSteps {
  /** The digest at a listing, or undefined before the base, where it cannot be known. */
  at(seq: number): string | undefined
}

/** Works out the digests that the heads of a chain must carry for its newest body to be true. */
export function digestSteps(base: ForgetBase, forgets: readonly Forget[]): DigestSteps {
  const steps: { seq: number; digest: string }[] = [base]
  let digest = base.digest
  for (const group of groupForgets(forgets)) {
    digest = extendDigest(digest, group)
    steps.push({ seq: group.seq, digest })
  }
  return {
    at(seq) {
      let low = 0
      let high = steps.length
      while (low < high) {
        const middle = (low + high) >> 1
        if ((steps[middle] as ForgetBase).seq <= seq) low = middle + 1
        else high = middle
      }
      return steps[low - 1]?.digest
    },
  }
}
