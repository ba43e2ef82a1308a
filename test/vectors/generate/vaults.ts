/** Vectors of paper devices and vaults in the membership log (membership.md §6, §7). */

import {
  beginBoxes,
  type CborValue,
  compareBytes,
  concatBytes,
  deriveVaultKeys,
  deriveVaultSecret,
  fromHex,
  type MeshId,
  sealSecret,
  sha256Hex,
  type Signer,
  signerFromSeed,
  signPaperProof,
  toHex,
} from '../../../protocol/index.ts'
import type { Vector } from '../format.ts'
import {
  ADMITTED,
  ADMITTER,
  bad,
  contentAfter,
  type Fault,
  FOUNDED,
  good,
  KEEPER,
  key,
  sign,
  STRANGER,
  terms,
  WRITER,
} from './membership-log.ts'

const [ADMIT, CHANGE, VAULT] = [1, 3, 5]
const [AS_KEEPER, AS_WRITER, AS_PAPER] = [0, 1, 3]
/** Bits of read and admit; of store too; of all that a keeper has; of one who stores. */
const [PAPERS, STORES_TOO, ALL, STORES] = [18, 22, 31, 4]

const PAPER = signerFromSeed(new Uint8Array(32).fill(10))
const NEW = signerFromSeed(new Uint8Array(32).fill(11))
const MESH = sha256Hex(FOUNDED[0]!.subarray(0, -64)) as MeshId
const PROOF = signPaperProof(PAPER, MESH)
const [FIRST_KEY, SECOND_KEY] = [new Uint8Array(32).fill(0x21), new Uint8Array(32).fill(0x22)]
const idOf = (vaultKey: Uint8Array): string => deriveVaultKeys(vaultKey).vault

type Log = readonly Uint8Array[]

/** An entry of version 2. */
function later(log: Log, by: Signer, kind: number, values: readonly CborValue[]): Uint8Array {
  return sign([2, ...contentAfter(log, by, kind, values).slice(1)], by)
}

function paper(proof: Uint8Array = PROOF, bits: number = PAPERS, name = 'paper'): CborValue[] {
  return [key(PAPER), 1, terms(name, AS_PAPER, bits), null, proof]
}

interface VaultGiven {
  readonly vaultKey: Uint8Array
  readonly to: readonly Signer[]
  readonly before?: Uint8Array | undefined
  /** What is in the boxes. @defaultValue the vault key */
  readonly secret?: Uint8Array
  /** Changes the boxes before they are signed. */
  readonly change?: (boxes: CborValue[][]) => CborValue[][]
}

/** The fields of a vault entry, with nonces that are fixed. */
function vaultFields({
  vaultKey,
  to,
  before,
  secret = vaultKey,
  change = (boxes) => boxes,
}: VaultGiven): CborValue[] {
  const vault = fromHex(idOf(vaultKey))
  const associated = concatBytes([fromHex(MESH), vault])
  const sealer = beginBoxes(new Uint8Array(32).fill(0x31))
  const nonce = (n: number): Uint8Array => new Uint8Array(24).fill(0x40 + n)
  const boxes = to
    .toSorted((a, b) => compareBytes(key(a), key(b)))
    .map((reader, n): CborValue[] => [
      key(reader),
      sealer.seal(reader.device, { purpose: 'vault-box', associated }, nonce(n), secret),
    ])
  const input = { key: deriveVaultSecret(vaultKey, 'before'), purpose: 'vault-before', associated }
  const sealedBefore = before === undefined ? null : sealSecret(input, nonce(9), before)
  return [vault, sealedBefore, sealer.ephemeral, change(boxes)]
}

const WITH_PAPER: Log = [...FOUNDED, later(FOUNDED, KEEPER, ADMIT, paper())]
const WITH_VAULT: Log = [
  ...WITH_PAPER,
  later(WITH_PAPER, KEEPER, VAULT, vaultFields({ vaultKey: FIRST_KEY, to: [KEEPER, PAPER] })),
]
const CHANGED: Log = [
  ...WITH_VAULT,
  later(
    WITH_VAULT,
    KEEPER,
    VAULT,
    vaultFields({ vaultKey: SECOND_KEY, before: FIRST_KEY, to: [KEEPER, PAPER] }),
  ),
]
/** Its boxes hold the key of another vault than it says. */
const LYING: Log = [
  ...WITH_PAPER,
  later(
    WITH_PAPER,
    KEEPER,
    VAULT,
    vaultFields({ vaultKey: FIRST_KEY, to: [KEEPER, PAPER], secret: SECOND_KEY }),
  ),
]
const recovered = (log: Log, by: Signer = PAPER): Uint8Array =>
  sign(contentAfter(log, by, ADMIT, [key(NEW), 1, terms('new', AS_KEEPER, ALL), null]), by)
const RECOVERED: Log = [...CHANGED, recovered(CHANGED)]

/** One that is good, with what the paper device's seed opens. */
function opened(name: string, rule: string, log: Log, seed: number, keys: readonly Uint8Array[]): Vector {
  const made = good(name, rule, log)
  const vaults = keys.map(idOf).join(' ')
  const seedHex = toHex(new Uint8Array(32).fill(seed))
  return { ...made, header: { ...made.header, seed: seedHex, vaults, keys: keys.map(toHex).join(' ') } }
}

function refusedLater(
  name: string,
  fault: Fault,
  log: Log,
  by: Signer,
  kind: number,
  values: readonly CborValue[],
): Vector {
  return bad(name, fault, log, later(log, by, kind, values))
}

function paperVectors(): Vector[] {
  const turns = { rule: 'M3.12', reason: 'turns a machine into paper' }
  const more = { rule: 'M3.12', reason: 'no paper has' }
  const proof = { rule: 'M3.11', reason: 'did not say that it is of this mesh' }
  const only = { rule: 'M3.13', reason: 'more than admit a new machine', expect: 'NOT_ENTITLED' }
  const laptopIsPaper = [key(WRITER), terms('laptop', AS_PAPER, PAPERS), null]
  return [
    good('paper-admitted', 'M3.11', WITH_PAPER),
    good('paper-admits-a-keeper', 'M3.8', RECOVERED),
    refusedLater(
      'paper-of-another-mesh',
      proof,
      FOUNDED,
      KEEPER,
      ADMIT,
      paper(signPaperProof(PAPER, '00'.repeat(32) as MeshId)),
    ),
    refusedLater(
      'paper-proven-by-another',
      proof,
      FOUNDED,
      KEEPER,
      ADMIT,
      paper(signPaperProof(STRANGER, MESH)),
    ),
    refusedLater(
      'paper-without-proof',
      { rule: 'M2.2', reason: 'a field is missing' },
      FOUNDED,
      KEEPER,
      ADMIT,
      paper().slice(0, -1),
    ),
    refusedLater('paper-that-stores', more, FOUNDED, KEEPER, ADMIT, paper(PROOF, STORES_TOO)),
    refusedLater('paper-with-space', more, FOUNDED, KEEPER, ADMIT, [
      key(PAPER),
      1,
      ['paper', AS_PAPER, PAPERS, 1, null],
      null,
      PROOF,
    ]),
    refusedLater('paper-of-a-machine', turns, ADMITTED, KEEPER, CHANGE, laptopIsPaper),
    bad(
      'paper-becomes-a-machine',
      turns,
      WITH_PAPER,
      sign(
        contentAfter(WITH_PAPER, KEEPER, CHANGE, [key(PAPER), terms('paper', AS_KEEPER, ALL), null]),
        KEEPER,
      ),
    ),
    bad(
      'paper-in-version-1',
      { rule: 'M2.4', reason: 'out of range' },
      FOUNDED,
      sign(contentAfter(FOUNDED, KEEPER, ADMIT, paper()), KEEPER),
    ),
    bad(
      'paper-removes',
      only,
      WITH_PAPER,
      sign(contentAfter(WITH_PAPER, PAPER, 2, [key(KEEPER), null]), PAPER),
    ),
    bad(
      'paper-changes',
      only,
      WITH_PAPER,
      sign(
        contentAfter(WITH_PAPER, PAPER, CHANGE, [key(KEEPER), terms('desktop', AS_WRITER, 7), null]),
        PAPER,
      ),
    ),
    bad('paper-sets-the-goal', only, WITH_PAPER, sign(contentAfter(WITH_PAPER, PAPER, 4, [2]), PAPER)),
    bad(
      'paper-admits-one-again',
      only,
      WITH_PAPER,
      sign(
        contentAfter(WITH_PAPER, PAPER, ADMIT, [key(KEEPER), 2, terms('desktop', AS_KEEPER, ALL), null]),
        PAPER,
      ),
    ),
    refusedLater(
      'paper-seals',
      only,
      WITH_VAULT,
      PAPER,
      VAULT,
      vaultFields({ vaultKey: SECOND_KEY, before: FIRST_KEY, to: [PAPER] }),
    ),
    bad(
      'paper-is-left-alone',
      { rule: 'M3.9', reason: 'nobody who may admit' },
      WITH_PAPER,
      sign(contentAfter(WITH_PAPER, KEEPER, 2, [key(KEEPER), null]), KEEPER),
    ),
  ]
}

function vaultVectors(): Vector[] {
  const refuse = (rule: string, reason: string): Fault => ({ rule, reason })
  const both = { vaultKey: FIRST_KEY, to: [KEEPER, PAPER] }
  const to = (signer: Signer, log: Log, by: Signer, given: Partial<VaultGiven> = {}): Uint8Array =>
    later(log, by, VAULT, vaultFields({ vaultKey: FIRST_KEY, to: [signer], ...given }))
  const vault = (name: string, fault: Fault, log: Log, given: VaultGiven): Vector =>
    refusedLater(name, fault, log, KEEPER, VAULT, vaultFields(given))
  const cut = (boxes: CborValue[][]): CborValue[][] => [
    [boxes[0]![0]!, (boxes[0]![1] as Uint8Array).subarray(1)],
  ]
  return [
    opened('vault-introduced', 'M3.14', WITH_VAULT, 10, [FIRST_KEY]),
    opened('vault-changed', 'M3.15', CHANGED, 10, [FIRST_KEY, SECOND_KEY]),
    opened('vault-shared', 'M3.15', [...RECOVERED, to(NEW, RECOVERED, NEW, { vaultKey: SECOND_KEY })], 11, [
      FIRST_KEY,
      SECOND_KEY,
    ]),
    opened('vault-box-of-another-key', 'M6.1', LYING, 10, []),
    opened('vault-opens-to-nobody-else', 'M6.2', CHANGED, 9, []),
    vault('vault-without-a-box', refuse('M2.5', 'no box'), WITH_PAPER, { ...both, change: () => [] }),
    vault('vault-with-a-box-cut', refuse('M2.5', 'wrong length'), WITH_PAPER, { ...both, change: cut }),
    vault('vault-boxes-not-in-order', refuse('M2.5', 'not in order'), WITH_PAPER, {
      ...both,
      change: (boxes) => boxes.toReversed(),
    }),
    vault('vault-boxes-twice', refuse('M2.5', 'not in order'), WITH_PAPER, {
      ...both,
      change: ([box]) => [box!, box!],
    }),
    vault('vault-too-many-boxes', refuse('M2.5', 'too long'), WITH_PAPER, {
      ...both,
      change: ([box]) => Array<CborValue[]>(7).fill(box!),
    }),
    bad(
      'vault-in-version-1',
      refuse('M2.4', 'out of range'),
      WITH_PAPER,
      sign(contentAfter(WITH_PAPER, KEEPER, VAULT, vaultFields(both)), KEEPER),
    ),
    bad(
      'vault-by-one-who-reads-nothing',
      { rule: 'M3.14', reason: 'reads nothing', expect: 'NOT_ENTITLED' },
      ADMITTER,
      to(KEEPER, ADMITTER, WRITER),
    ),
    vault('vault-for-one-who-reads-nothing', refuse('M3.14', 'device that reads nothing'), storing(), {
      vaultKey: FIRST_KEY,
      to: [KEEPER, WRITER],
    }),
    vault('vault-for-a-stranger', refuse('M3.14', 'device that reads nothing'), WITH_PAPER, {
      vaultKey: FIRST_KEY,
      to: [KEEPER, STRANGER],
    }),
    vault('vault-not-kept-by-its-signer', refuse('M3.16', 'does not keep'), WITH_PAPER, {
      vaultKey: FIRST_KEY,
      to: [PAPER],
    }),
    vault('vault-not-joined', refuse('M3.15', 'does not join'), WITH_VAULT, {
      vaultKey: SECOND_KEY,
      to: [KEEPER],
    }),
    vault('vault-first-joined-to-one', refuse('M3.15', 'does not join'), WITH_PAPER, {
      ...both,
      before: SECOND_KEY,
    }),
    vault('vault-again-with-one-before', refuse('M3.15', 'a vault that there is'), WITH_VAULT, {
      ...both,
      before: SECOND_KEY,
    }),
    vault('vault-of-before', refuse('M3.15', 'goes back'), CHANGED, { ...both, before: SECOND_KEY }),
  ]
}

/** A log in which the second device only stores. */
function storing(): Log {
  return [
    ...FOUNDED,
    sign(contentAfter(FOUNDED, KEEPER, ADMIT, [key(WRITER), 1, terms('pi', 2, STORES), null]), KEEPER),
  ]
}

/** All of them. */
export function vaultMembershipVectors(): Vector[] {
  return [...paperVectors(), ...vaultVectors()]
}
