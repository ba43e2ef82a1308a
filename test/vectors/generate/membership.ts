/** Vectors of the membership log (membership.md). */

import { type CborValue, encodeCbor, type Signer, signStatement } from '../../../protocol/index.ts'
import type { Vector } from '../format.ts'
import {
  ADMIT,
  AS_STORER,
  THIN_KEEPER,
  ADMITTED,
  ADMITTER,
  ALL,
  AS_KEEPER,
  AS_WRITER,
  bad,
  CHANGE,
  contentAfter,
  entryAfter,
  type Fault,
  FOUND,
  FOUNDED,
  GOAL,
  good,
  KEEPER,
  key,
  LEANS,
  refused,
  REMOVE,
  REMOVED,
  sign,
  STRANGER,
  terms,
  WRITER,
  WRITES,
} from './membership-log.ts'

function formVectors(): Vector[] {
  const values = contentAfter(FOUNDED, KEEPER, ADMIT, [
    key(WRITER),
    1,
    terms('laptop', AS_WRITER, WRITES),
    null,
  ])
  const forged = Uint8Array.from(sign(values, KEEPER))
  forged[forged.length - 1] = (forged.at(-1) as number) ^ 1
  const admitted = (row: CborValue): CborValue[] => [key(WRITER), 1, row, null]
  const unshown = { rule: 'M2.3', reason: 'cannot be shown' }
  return [
    bad('forged', { rule: 'M2.1', reason: 'did not sign' }, FOUNDED, forged),
    bad('signed-by-another', { rule: 'M2.1', reason: 'did not sign' }, FOUNDED, sign(values, STRANGER)),
    bad(
      'signed-as-listing',
      { rule: 'M2.1', reason: 'did not sign' },
      FOUNDED,
      signStatement('listing', encodeCbor(values), KEEPER),
    ),
    bad(
      'version-3',
      { rule: 'M2.2', reason: 'later format', expect: 'VERSION_UNKNOWN' },
      FOUNDED,
      sign([3, ...values.slice(1)], KEEPER),
    ),
    bad(
      'version-later-than-needed',
      { rule: 'M2.4', reason: 'later version' },
      FOUNDED,
      sign([2, ...values.slice(1)], KEEPER),
    ),
    bad(
      'field-missing',
      { rule: 'M2.2', reason: 'a field is missing' },
      FOUNDED,
      sign(values.slice(0, -1), KEEPER),
    ),
    bad('field-more', { rule: 'M2.2', reason: 'too many fields' }, FOUNDED, sign([...values, 0], KEEPER)),
    bad(
      'too-large',
      { rule: 'M2.2', reason: 'larger than allowed' },
      FOUNDED,
      sign([...values, new Uint8Array(1024)], KEEPER),
    ),
    refused('kind-unknown', { rule: 'M2.2', reason: 'out of range' }, FOUNDED, KEEPER, 5, []),
    refused(
      'role-unknown',
      { rule: 'M2.2', reason: 'out of range' },
      FOUNDED,
      KEEPER,
      ADMIT,
      admitted(terms('laptop', 3, WRITES)),
    ),
    refused(
      'capability-unknown',
      { rule: 'M2.2', reason: 'out of range' },
      FOUNDED,
      KEEPER,
      ADMIT,
      admitted(terms('laptop', AS_WRITER, 64)),
    ),
    refused('name-empty', unshown, FOUNDED, KEEPER, ADMIT, admitted(terms('', AS_WRITER, WRITES))),
    refused(
      'name-too-long',
      { rule: 'M2.3', reason: 'too long' },
      FOUNDED,
      KEEPER,
      ADMIT,
      admitted(terms('x'.repeat(65), AS_WRITER, WRITES)),
    ),
    refused(
      'name-with-escape',
      unshown,
      FOUNDED,
      KEEPER,
      ADMIT,
      admitted(terms('lap\u001b[2Jtop', AS_WRITER, WRITES)),
    ),
    refused(
      'name-turned-around',
      unshown,
      FOUNDED,
      KEEPER,
      ADMIT,
      admitted(terms('lap\u202etop', AS_WRITER, WRITES)),
    ),
    refused(
      'name-with-space-at-end',
      unshown,
      FOUNDED,
      KEEPER,
      ADMIT,
      admitted(terms('laptop ', AS_WRITER, WRITES)),
    ),
  ]
}

function orderVectors(): Vector[] {
  const admission = contentAfter(FOUNDED, KEEPER, ADMIT, [
    key(WRITER),
    1,
    terms('laptop', AS_WRITER, WRITES),
    null,
  ])
  const at = (position: number, value: CborValue): CborValue[] =>
    admission.map((old, n) => (n === position ? value : old))
  const follows = { rule: 'M3.2', reason: 'does not follow' }
  const nobody = (by: Signer, kind: number, values: readonly CborValue[]): Uint8Array =>
    entryAfter([], by, kind, values)
  const nonce = new Uint8Array(16)
  return [
    good('founded', 'M3.1', FOUNDED),
    good('admitted', 'M3.2', ADMITTED),
    good('removed', 'M3.5', REMOVED),
    good('next-incarnation', 'M3.6', [
      ...ADMITTED,
      entryAfter(ADMITTED, KEEPER, ADMIT, [
        key(WRITER),
        2,
        terms('laptop', AS_WRITER, WRITES),
        [9, nonce32(), 4],
      ]),
    ]),
    good('changed', 'M3.8', [
      ...ADMITTED,
      entryAfter(ADMITTED, KEEPER, CHANGE, [key(WRITER), ['book', 2, 12, 1000, 'house'], null]),
    ]),
    good('lean-given-by-one-without', 'M3.8', [
      ...ADMITTED,
      entryAfter(ADMITTED, KEEPER, CHANGE, [key(WRITER), terms('laptop', AS_WRITER, LEANS), null]),
    ]),
    good('store-given-by-one-without', 'M3.8', [
      ...THIN_KEEPER,
      entryAfter(THIN_KEEPER, KEEPER, ADMIT, [key(STRANGER), 1, terms('pi', AS_STORER, 4), null]),
    ]),
    good('goal', 'M3.2', [...FOUNDED, entryAfter(FOUNDED, KEEPER, GOAL, [2])]),
    bad('founding-is-no-founding', { rule: 'M3.1', reason: 'founds nothing' }, [], nobody(KEEPER, GOAL, [2])),
    bad(
      'founder-is-no-keeper',
      { rule: 'M3.1', reason: 'no keeper' },
      [],
      nobody(KEEPER, FOUND, [nonce, terms('a', AS_WRITER, ALL), null]),
    ),
    bad(
      'founder-may-not-admit',
      { rule: 'M3.1', reason: 'no keeper' },
      [],
      nobody(KEEPER, FOUND, [nonce, terms('a', AS_KEEPER, WRITES), null]),
    ),
    bad('epoch-left-out', follows, FOUNDED, sign(at(2, 2), KEEPER)),
    bad('prev-of-another', follows, FOUNDED, sign(at(3, nonce32()), KEEPER)),
    bad('mesh-of-another', follows, FOUNDED, sign(at(1, nonce32()), KEEPER)),
    refused(
      'founded-twice',
      { rule: 'M3.1', reason: 'founds a mesh that there is' },
      FOUNDED,
      KEEPER,
      FOUND,
      [nonce, terms('a', AS_KEEPER, ALL), null],
    ),
  ]
}

function nonce32(): Uint8Array {
  return new Uint8Array(32).fill(4)
}

function rightVectors(): Vector[] {
  const strange = { reason: 'not by a member', expect: 'NOT_A_MEMBER' }
  const entitled = (rule: string, reason: string): Fault => ({ rule, reason, expect: 'NOT_ENTITLED' })
  const admit = (of: Signer, name: string): CborValue[] => [key(of), 1, terms(name, AS_WRITER, WRITES), null]
  return [
    refused('by-a-stranger', { rule: 'M3.3', ...strange }, FOUNDED, STRANGER, ADMIT, admit(WRITER, 'laptop')),
    refused(
      'by-a-removed-device',
      { rule: 'M3.3', ...strange },
      REMOVED,
      WRITER,
      ADMIT,
      admit(STRANGER, 'pi'),
    ),
    refused(
      'by-a-writer',
      entitled('M3.4', 'may not change it'),
      ADMITTED,
      WRITER,
      ADMIT,
      admit(STRANGER, 'pi'),
    ),
    refused('removed-key-admitted', { rule: 'M3.5', reason: 'removed for good' }, REMOVED, KEEPER, ADMIT, [
      key(WRITER),
      2,
      terms('laptop', AS_WRITER, WRITES),
      null,
    ]),
    refused('removed-key-changed', { rule: 'M3.5', reason: 'removed for good' }, REMOVED, KEEPER, CHANGE, [
      key(WRITER),
      terms('laptop', AS_WRITER, WRITES),
      null,
    ]),
    refused('removed-twice', { rule: 'M3.5', reason: 'removed for good' }, REMOVED, KEEPER, REMOVE, [
      key(WRITER),
      null,
    ]),
    refused(
      'admitted-twice',
      { rule: 'M3.6', reason: 'another incarnation' },
      ADMITTED,
      KEEPER,
      ADMIT,
      admit(WRITER, 'laptop'),
    ),
    refused('incarnation-left-out', { rule: 'M3.6', reason: 'another incarnation' }, FOUNDED, KEEPER, ADMIT, [
      key(WRITER),
      2,
      terms('laptop', AS_WRITER, WRITES),
      null,
    ]),
    refused(
      'name-taken',
      { rule: 'M3.7', reason: 'another member has' },
      ADMITTED,
      KEEPER,
      ADMIT,
      admit(STRANGER, 'laptop'),
    ),
    refused(
      'gives-what-it-has-not',
      entitled('M3.8', 'gives what it has not'),
      ADMITTER,
      WRITER,
      ADMIT,
      admit(STRANGER, 'pi'),
    ),
    refused('takes-what-it-has-not', entitled('M3.8', 'gives what it has not'), ADMITTER, WRITER, CHANGE, [
      key(WRITER),
      terms('laptop', AS_KEEPER, ALL),
      null,
    ]),
    refused(
      'last-keeper-removed',
      { rule: 'M3.9', reason: 'nobody who may admit' },
      ADMITTED,
      KEEPER,
      REMOVE,
      [key(KEEPER), null],
    ),
    refused(
      'last-keeper-changed',
      { rule: 'M3.9', reason: 'nobody who may admit' },
      ADMITTED,
      KEEPER,
      CHANGE,
      [key(KEEPER), terms('desktop', AS_WRITER, WRITES), null],
    ),
    refused(
      'stranger-removed',
      { rule: 'M3.10', reason: 'a stranger', expect: 'NOT_A_MEMBER' },
      FOUNDED,
      KEEPER,
      REMOVE,
      [key(STRANGER), null],
    ),
    refused(
      'stranger-changed',
      { rule: 'M3.10', reason: 'a stranger', expect: 'NOT_A_MEMBER' },
      FOUNDED,
      KEEPER,
      CHANGE,
      [key(STRANGER), terms('pi', AS_WRITER, WRITES), null],
    ),
  ]
}

/** All vectors of the membership log. */
export function membershipVectors(): Vector[] {
  return [...formVectors(), ...orderVectors(), ...rightVectors()]
}
