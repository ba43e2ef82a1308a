/** How the ledger lies in the catalog (sync.md §1): keys and values, and nothing of what they mean. */

import {
  type AcceptedAdd,
  decodeCbor,
  type DeviceId,
  type Dot,
  encodeCbor,
  Fields,
  type ForgetReason,
  type HorizonEntry,
  headsPerListingMax,
  listingBytesMax,
  type RootId,
  type SignedHead,
} from '../../protocol/index.ts'
import type { CatalogChange } from '../../storage/index.ts'

/** Heads of a chain kept for peers that lag behind (some 300 bytes each); older ones are dropped as new ones come. */
export const headsKept = headsPerListingMax

const width = 10

/** Key of one entry of the membership log. */
export function entryKey(epoch: number): string {
  return `entry/${padded(epoch)}`
}

/** Key of one head of a chain. */
export function headKey(device: DeviceId, incarnation: number, seq: number): string {
  return `head/${device}/${padded(incarnation)}/${padded(seq)}`
}

/** Key of the newest body of a chain. */
export function bodyKey(device: DeviceId, incarnation: number): string {
  return `body/${device}/${padded(incarnation)}`
}

/** Key of another branch of a forked chain. */
export function forkKey(head: SignedHead): string {
  return `fork/${head.head.device}/${padded(head.head.incarnation)}/${head.hash}`
}

/** Key of a root of this device that no listing has announced yet. */
export function pendingKey(root: RootId): string {
  return `pending/${root}`
}

/** Key that is there once peers had listings of this device that it did not know: its disk went back (R11). */
export const rollbackKey = 'rolled-back'

/** Key of the time at which this node first saw a root. */
export function seenKey(root: RootId): string {
  return `seen/${root}`
}

/** Key of an open backup session, with the vector it pinned (R4): what a crash leaves of it is closed at start. */
export function sessionKey(id: string): string {
  return `session/${id}`
}

/** Key of a forget that no listing has said yet. */
export function forgetKey({ dot, root }: Pick<PendingForget, 'dot' | 'root'>): string {
  return `${forgetPrefix}${dot.device}/${padded(dot.incarnation)}/${padded(dot.seq)}/${padded(dot.n)}/${root}`
}

/** Where forgets wait for the next listing. */
export const forgetPrefix = 'forget/'

/** Key of the moment at which this node had the forgets that one listing added (R9). */
export function hadKey(device: DeviceId, incarnation: number, seq: number): string {
  return `had/${device}/${padded(incarnation)}/${padded(seq)}`
}

/** Key of a root that a person pinned on this device. */
export function pinKey(root: RootId): string {
  return `pin/${root}`
}

/** Key of a root whose hold is being given up (R10). */
export function withdrawnKey(root: RootId): string {
  return `withdrawn/${root}`
}

/** Key of a root that this device means to let go (R7). */
export function intentKey(root: RootId): string {
  return `intent/${root}`
}

/** Key that is there while what an interrupted backup stored may be of use to the next one. */
export const unfinishedKey = 'unfinished'

/** Where it stands that a root of this device is announced and not whole here: what is here of it stays (R5.4). */
export function leanedKey(root: RootId): string {
  return `leaned/${root}`
}

/** Key that is there once two histories of the membership were seen (R8). */
export const membershipForkKey = 'membership-fork'

/** The value of a session's record. */
export function encodeVector(vector: readonly HorizonEntry[]): Uint8Array {
  return encodeCbor(vector.map(({ device, incarnation, seq, hash }) => [device, incarnation, seq, hash]))
}

/** The changes that keep an accepted chain: its new heads, and its newest body in the place of the old. */
export function chainChanges(heads: readonly SignedHead[], body: Uint8Array): CatalogChange[] {
  const changes: CatalogChange[] = []
  for (const { head, bytes } of heads) {
    changes.push({ type: 'put', key: headKey(head.device, head.incarnation, head.seq), value: bytes })
    if (head.seq > headsKept)
      changes.push({ type: 'del', key: headKey(head.device, head.incarnation, head.seq - headsKept) })
  }
  const tip = heads.at(-1)
  if (tip !== undefined)
    changes.push({ type: 'put', key: bodyKey(tip.head.device, tip.head.incarnation), value: body })
  return changes
}

/** Heads of a chain and the body of the last, as they are sent. */
export interface ChainRecord {
  readonly heads: readonly Uint8Array[]
  readonly body: Uint8Array
}

/** Another branch of a forked chain: its heads as far as they were offered, and the body of the last. */
export interface ForkRecord extends ChainRecord {
  /** The branches are known to differ after this listing. */
  readonly sharedSeq: number
}

/** The value of a fork's record. */
export function encodeFork(fork: ForkRecord): Uint8Array {
  return encodeCbor([fork.heads, fork.body, fork.sharedSeq])
}

/** Reads a fork's record. @throws {CellarError} `FORMAT_INVALID` */
export function decodeFork(value: Uint8Array): ForkRecord {
  const fields = new Fields(
    decodeCbor(value, { what: 'a record of a fork', bytesMax: 2 * listingBytesMax }),
    { what: 'a record of a fork' },
  )
  const heads = fields.list(headsPerListingMax, (head) => fields.nested([head]).bytes(1, listingBytesMax))
  return { heads, body: fields.bytes(0, listingBytesMax), sharedSeq: fields.uint() }
}

/** Where announcements are kept that no newest body says. */
export const unsaidPrefix = 'unsaid/'

/** Key of an announcement that the newest body of its chain does not say (R2). */
export function unsaidKey({ dot, root }: AcceptedAdd): string {
  return `${unsaidPrefix}${dot.device}/${padded(dot.incarnation)}/${padded(dot.seq)}/${padded(dot.n)}/${root}`
}

/** The value of such an announcement's record. */
export function encodeUnsaid({ dot, root, source, sizeClass, isEntitled }: AcceptedAdd): Uint8Array {
  const { device, incarnation, seq, n } = dot
  return encodeCbor([device, incarnation, seq, n, root, source, sizeClass, isEntitled])
}

/** Reads such a record. @throws {CellarError} `FORMAT_INVALID` */
export function decodeUnsaid(value: Uint8Array): AcceptedAdd {
  const words = { what: 'a record of an announcement' }
  const fields = new Fields(decodeCbor(value, { ...words, bytesMax: 512 }), words)
  const dot = {
    device: fields.text(128) as DeviceId,
    incarnation: fields.uint(),
    seq: fields.uint(),
    n: fields.uint(),
  }
  return {
    dot,
    root: fields.text(64) as RootId,
    source: fields.bytes(16),
    sizeClass: fields.uint(63),
    isEntitled: fields.boolean(),
  }
}

/** A root of this device that waits for its next listing. */
export interface PendingRoot {
  readonly root: RootId
  /** 16 bytes. */
  readonly source: Uint8Array
  readonly sizeClass: number
}

/** The value of a pending root's record. */
export function encodePending(pending: PendingRoot): Uint8Array {
  return encodeCbor([pending.source, pending.sizeClass])
}

/** Reads a pending root's record. @throws {CellarError} `FORMAT_INVALID` */
export function decodePending(root: RootId, value: Uint8Array): PendingRoot {
  const fields = new Fields(decodeCbor(value, { what: 'a record of a pending root', bytesMax: 256 }), {
    what: 'a record of a pending root',
  })
  return { root, source: fields.bytes(16), sizeClass: fields.uint(63) }
}

/** A forget of this device that waits for its next listing. */
export interface PendingForget {
  /** Number 0 of an announcement that waits itself: it gets its dot in the listing that says both. */
  readonly dot: Dot
  readonly root: RootId
  readonly reason: ForgetReason
  /** When it was asked for, milliseconds since 1970. */
  readonly atMs: number
}

const REASONS: readonly ForgetReason[] = ['person', 'retention']

/** The value of a pending forget's record. */
export function encodeForget({ dot, root, reason, atMs }: PendingForget): Uint8Array {
  const { device, incarnation, seq, n } = dot
  return encodeCbor([device, incarnation, seq, n, root, REASONS.indexOf(reason), atMs])
}

/** Reads a pending forget's record. @throws {CellarError} `FORMAT_INVALID` */
export function decodeForget(value: Uint8Array): PendingForget {
  const words = { what: 'a record of a forget' }
  const fields = new Fields(decodeCbor(value, { ...words, bytesMax: 512 }), words)
  const dot = {
    device: fields.text(128) as DeviceId,
    incarnation: fields.uint(),
    seq: fields.uint(),
    n: fields.uint(),
  }
  const root = fields.text(64) as RootId
  return { dot, root, reason: REASONS[fields.uint(1)] ?? 'person', atMs: fields.uint() }
}

/** A moment: for people, and by the node's own running clock. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly wallMs: number
  /** Milliseconds that this node had been running; 0 where nobody noted it. */
  readonly runningMs: number
}

/** The value of a moment's record. */
export function encodeMoment({ wallMs, runningMs }: Moment): Uint8Array {
  return Buffer.from(`${String(Math.round(wallMs))} ${String(Math.round(runningMs))}`)
}

/** Reads a moment's record. */
export function decodeMoment(value: Uint8Array): Moment {
  const [wall = '', running = ''] = Buffer.from(value).toString().split(' ')
  return { wallMs: whole(wall), runningMs: whole(running) }
}

function whole(text: string): number {
  const value = Number(text)
  return Number.isSafeInteger(value) && value > 0 ? value : 0
}

function padded(value: number): string {
  return String(value).padStart(width, '0')
}
