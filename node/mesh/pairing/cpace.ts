/**
 * CPace over ristretto255 with SHA-512 (draft-irtf-cfrg-cpace, suite CPACE-RISTR255-SHA512), roles initiator and
 * responder: two who know the same short secret agree on a strong key, and each try tests one guess.
 */

import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { bytesToNumberLE, equalBytes } from '@noble/curves/utils.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'

const DSI = utf8ToBytes('CPaceRistretto255')
const DSI_ISK = utf8ToBytes('CPaceRistretto255_ISK')
const MAC_LABEL = utf8ToBytes('CPaceMac')
/** Block of SHA-512, which the secret and its padding fill. */
const blockBytes = 128

/** Bytes of a public share. */
export const cpaceShareBytes = 32
/** Bytes to draw for a scalar. */
export const cpaceScalarBytes = 32

const { Point } = ristretto255

/** What both must have alike. */
export interface CpaceInput {
  /** The short secret (PRS); borrowed. */
  readonly secret: Uint8Array
  /** Who talks with whom, about what (CI); borrowed. */
  readonly channel: Uint8Array
  /** Of this try alone (sid); borrowed. */
  readonly session: Uint8Array
}

/** One side between its share and the other's. */
export interface CpaceSide {
  /** Y: 32 bytes to send. */
  readonly share: Uint8Array
  /**
   * K from the other's share (32 bytes), fresh; undefined for a share that is no element, or the neutral one (draft
   * §7.3: abort).
   */
  meet(share: Uint8Array): Uint8Array | undefined
}

/** A length of 7 bits a byte, the lowest first (draft, LEB128), before the bytes. @returns fresh */
export function prependLength(bytes: Uint8Array): Uint8Array {
  const head: number[] = []
  let rest = bytes.byteLength
  while (rest > 127) {
    head.push((rest & 127) | 128)
    rest >>>= 7
  }
  head.push(rest)
  return concatBytes(Uint8Array.from(head), bytes)
}

/** All with their lengths, one after the other: no two lists give the same bytes. @returns fresh */
export function lengthValues(...all: Uint8Array[]): Uint8Array {
  return concatBytes(...all.map(prependLength))
}

/** generator_string(DSI, PRS, CI, sid, s_in_bytes) of the draft. @returns fresh */
export function generatorString(input: CpaceInput): Uint8Array {
  const used = prependLength(input.secret).byteLength + prependLength(DSI).byteLength + 1
  const padding = new Uint8Array(Math.max(0, blockBytes - used))
  return lengthValues(DSI, input.secret, padding, input.channel, input.session)
}

/**
 * Begins one side. The scalar's bits above 252 are cleared, as the draft recommends.
 *
 * @param random - 32 bytes fit for keys, used once; borrowed
 */
export function cpaceBegin(input: CpaceInput, random: Uint8Array): CpaceSide {
  if (random.byteLength !== cpaceScalarBytes) throw new RangeError('a scalar is drawn from 32 bytes')
  const generator = ristretto255_hasher.deriveToCurve?.(sha512(generatorString(input)))
  if (generator === undefined) throw new TypeError('the curve has no element derivation')
  const masked = Uint8Array.from(random)
  masked[31] = (masked[31] ?? 0) & 0x0f
  const scalar = Point.Fn.create(bytesToNumberLE(masked))
  return {
    share: generator.multiply(scalar).toBytes(),
    meet(share) {
      if (share.byteLength !== cpaceShareBytes) return undefined
      try {
        const point = Point.fromBytes(share)
        if (point.is0()) return undefined
        const met = point.multiply(scalar)
        return met.is0() ? undefined : met.toBytes()
      } catch {
        return undefined // not the encoding of an element
      }
    },
  }
}

/** What each side sent: its share, and data about itself (AD). */
export interface CpaceSent {
  readonly share: Uint8Array
  readonly data: Uint8Array
}

/** The key (ISK), 64 bytes, fresh: equal on both sides only if secret, channel, session and all that was sent are. */
export function cpaceKey(
  session: Uint8Array,
  met: Uint8Array,
  initiator: CpaceSent,
  responder: CpaceSent,
): Uint8Array {
  return sha512(
    concatBytes(
      lengthValues(DSI_ISK, session, met),
      lengthValues(initiator.share, initiator.data),
      lengthValues(responder.share, responder.data),
    ),
  )
}

/** The tag by which one who sent this shows that it has the key (draft, "key confirmation"); 64 bytes, fresh. */
export function cpaceTag(session: Uint8Array, key: Uint8Array, sent: CpaceSent): Uint8Array {
  return hmac(sha512, sha512(concatBytes(MAC_LABEL, session, key)), lengthValues(sent.share, sent.data))
}

/** Whether a tag received is the one expected, in constant time. */
export function isTag(expected: Uint8Array, received: Uint8Array): boolean {
  return equalBytes(expected, received)
}
