/** R14: judges what devices announce, and remembers it until a person has looked (spec/deletion.md §4). */

import {
  compareInChain,
  type DeviceId,
  isCellarError,
  judgeRate,
  judgeShare,
  judgeTimes,
  type RootId,
  type Suspicion,
} from '../../protocol/index.ts'
import type { Catalog, ChunkStore } from '../../storage/index.ts'
import { trimMemory } from '../adapters/memory.ts'
import type { SuspicionInfo } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import { Serial } from '../serial.ts'
import { announcedOf, announcedRoots, type AnnouncedRoot, type CandidateParts } from './candidates.ts'
import { closureBytes, type Closures, compareClosures } from './compare-closures.ts'
import {
  encodeJudged,
  encodeSuspicion,
  encodeTrust,
  judgedKey,
  readJudged,
  readSuspicion,
  readTrust,
  reasonsMax,
  suspicionKey,
  type SuspicionReason,
  type TrustRecord,
  trustKey,
} from './suspicion-record.ts'

/** What this room stands on. */
export type SuspicionParts = CandidateParts & Pick<NodeParts, 'catalog' | 'events' | 'world'>

/** Pairs judged again at most when a node that had much to judge is killed. */
const PAIRS_PER_RECORD = 64

/** One change after another, for each node. */
const SERIALS = new WeakMap<object, Serial>()

/** The suspicion that stands against a device, in words for a person. */
export function suspicionOf(parts: SuspicionParts, device: DeviceId): SuspicionInfo | undefined {
  const record = readSuspicion(recordsOf(parts), device)
  if (record === undefined) return undefined
  const name = parts.ledger.nameOf(device)
  return {
    device: name,
    since: new Date(record.sinceMs).toISOString(),
    message: `${name}: ${record.reasons.map(({ text }) => text).join('; ')}`,
  }
}

/** All suspicions that stand, of present members, in the order of their admission. */
export function standingSuspicions(parts: SuspicionParts): SuspicionInfo[] {
  return [...parts.ledger.membership.members.values()]
    .filter((member) => member.removedEpoch === undefined)
    .sort((a, b) => a.admittedEpoch - b.admittedEpoch)
    .flatMap(({ device }) => suspicionOf(parts, device) ?? [])
}

/**
 * Judges what has come since the last time: by each device's times and pace, and each snapshot that is whole here
 * against the one before it of its source. What is found is durable when this resolves.
 *
 * @throws the signal's reason
 */
export async function judgeAll(parts: SuspicionParts, signal: AbortSignal): Promise<void> {
  await serialOf(parts).run(async () => {
    const byOwner = new Map<DeviceId, AnnouncedRoot[]>()
    for (const one of announcedRoots(parts)) {
      const others = byOwner.get(one.owner)
      if (others === undefined) byOwner.set(one.owner, [one])
      else others.push(one)
    }
    for (const [device, announced] of byOwner) {
      const reasons = judgeAnnouncements(announced, readTrust(recordsOf(parts), device))
      for (const [source, ofSource] of bySource(announced))
        reasons.push(...(await judgeSource(parts, device, { source, ofSource }, signal)))
      await note(parts, device, reasons)
    }
  })
}

/**
 * Judges what is new of one source (hex) of this device, by what its snapshots share. At the end of each backup: else
 * the first rule after many backups made by hand has all of them to look through, and a person hears late.
 *
 * @throws the signal's reason
 */
export async function judgeBackups(
  parts: SuspicionParts,
  source: string,
  signal: AbortSignal,
): Promise<void> {
  const { device } = parts.signer
  await serialOf(parts).run(async () => {
    const ofSource = announcedOf(parts, device, source)
    await note(parts, device, await judgeSource(parts, device, { source, ofSource }, signal))
  })
}

/** A person has looked: the suspicion ends, and what was announced up to now is in order. */
export async function trustDevice(
  parts: SuspicionParts,
  device: DeviceId,
): Promise<SuspicionInfo | undefined> {
  return await serialOf(parts).run(async () => {
    const standing = suspicionOf(parts, device)
    const last = announcedRoots(parts)
      .filter((one) => one.owner === device && one.dot.seq !== Number.MAX_SAFE_INTEGER)
      .sort((a, b) => compareInChain(b.dot, a.dot))[0]
    const timeMs =
      last === undefined || !Number.isFinite(last.timeMs) ? parts.world.clock.nowMs() : last.timeMs
    const trusted = last === undefined ? undefined : encodeTrust({ dot: last.dot, timeMs })
    await recordsOf(parts).batch(
      [
        { type: 'del', key: suspicionKey(device) },
        ...(trusted === undefined ? [] : [{ type: 'put', key: trustKey(device), value: trusted } as const]),
      ],
      { durable: true },
    )
    return standing
  })
}

/** Times and pace: from announcements alone, whoever holds them. */
function judgeAnnouncements(
  announced: readonly AnnouncedRoot[],
  trust: TrustRecord | undefined,
): SuspicionReason[] {
  const reasons: SuspicionReason[] = []
  const before = new Map<string, number>()
  for (const { dot, source, claimedMs, seenMs, timeMs, root } of announced) {
    const beforeMs = before.get(source)
    if (Number.isFinite(timeMs)) before.set(source, timeMs)
    // The root chunk has not come here yet: nothing is claimed that could be judged.
    if (!Number.isFinite(claimedMs)) continue
    if (trust !== undefined && compareInChain(dot, trust.dot) <= 0) continue
    const found = judgeTimes({ claimedMs, seenMs, ...(beforeMs !== undefined && { beforeMs }) })
    if (found !== undefined) reasons.push(reasonOf(found, root))
  }
  const rate = judgeRate(
    announced.map(({ timeMs }) => timeMs),
    trust?.timeMs,
  )
  if (rate !== undefined) reasons.push(reasonOf(rate))
  return reasons
}

function bySource(announced: readonly AnnouncedRoot[]): Map<string, AnnouncedRoot[]> {
  const sources = new Map<string, AnnouncedRoot[]>()
  for (const one of announced) {
    const others = sources.get(one.source)
    if (others === undefined) sources.set(one.source, [one])
    else others.push(one)
  }
  return sources
}

/** Compares each snapshot that is whole here with the one before it, from where that ended the last time. */
async function judgeSource(
  parts: SuspicionParts,
  device: DeviceId,
  {
    source,
    ofSource,
  }: { readonly source: string; readonly ofSource: readonly Pick<AnnouncedRoot, 'root'>[] },
  signal: AbortSignal,
): Promise<SuspicionReason[]> {
  const { store } = parts
  const records = recordsOf(parts)
  const judged = readJudged(records, device, source)
  const start = ofSource.findIndex(({ root }) => root === judged?.root) + 1
  let before = judged !== undefined && store.isComplete(judged.root) ? judged : undefined
  const reasons: SuspicionReason[] = []
  const remember = async (): Promise<void> => {
    if (before === undefined || before === judged) return
    // Not before it is known what stands against it: a crash in between judges once more.
    await note(parts, device, reasons)
    const value = encodeJudged(before)
    await records.batch([{ type: 'put', key: judgedKey(device, source), value }], { durable: true })
  }
  let sinceRemembered = 0
  for (const { root } of ofSource.slice(start)) {
    if (!store.isComplete(root)) continue
    try {
      const bytes = await judgePair(store, { before, root }, reasons, signal)
      before = { root, bytes }
    } catch (error) {
      if (signal.aborted || !isCellarError(error)) throw error
      break // it is being reclaimed, or damaged: once more when something new has come
    }
    if (++sinceRemembered % PAIRS_PER_RECORD === 0) await remember()
  }
  await remember()
  // What walks have seen of a million chunks is 16 MiB, which nothing else would collect soon.
  if (sinceRemembered > 0) trimMemory()
  return reasons
}

/** @returns the bytes of the newer closure */
async function judgePair(
  store: ChunkStore,
  pair: {
    readonly before: { readonly root: RootId; readonly bytes: number | undefined } | undefined
    readonly root: RootId
  },
  reasons: SuspicionReason[],
  signal: AbortSignal,
): Promise<number> {
  const { before, root } = pair
  const closures = closuresOf(store)
  if (before === undefined) return await closureBytes(closures, root, signal)
  const compared = await compareClosures(
    closures,
    { older: before.root, newer: root, ...(before.bytes !== undefined && { olderBytes: before.bytes }) },
    (shared) => judgeShare(shared) !== undefined,
    signal,
  )
  const found = judgeShare(compared)
  if (found !== undefined) reasons.push(reasonOf(found, root, before.root))
  return compared.newerBytes
}

/** Sees links and lengths only: what a store without keys sees. */
function closuresOf(store: ChunkStore): Closures {
  return {
    links: (id) => store.links(id),
    bytes: (id) => store.locate([id])[0]?.length ?? store.read(id).byteLength,
  }
}

/** Adds what was found to what stands, durable, and says so once. */
async function note(
  parts: SuspicionParts,
  device: DeviceId,
  found: readonly SuspicionReason[],
): Promise<void> {
  if (found.length === 0) return
  const records = recordsOf(parts)
  const standing = readSuspicion(records, device)
  const reasons = new Map(standing?.reasons.map((reason) => [reason.name, reason]))
  const news = found.filter(({ name }) => !reasons.has(name)).slice(0, reasonsMax - reasons.size)
  if (news.length === 0) return
  for (const reason of news) reasons.set(reason.name, reason)
  const sinceMs = standing?.sinceMs ?? parts.world.clock.nowMs()
  const value = encodeSuspicion({ sinceMs, reasons: [...reasons.values()] })
  await records.batch([{ type: 'put', key: suspicionKey(device), value }], { durable: true })
  const what = news.map(({ text }) => text).join('; ')
  const message = `${what}. Nothing of it is forgotten by rules until you say that all is well`
  parts.events.emit({ kind: 'trouble', code: 'DEVICE_SUSPECT', message, device })
}

/** What was found, in words. */
function reasonOf(found: Suspicion, root?: RootId, before?: RootId): SuspicionReason {
  const snapshot = `snapshot ${root?.slice(0, 8) ?? ''}`
  const name = `${found.kind}/${root ?? ''}`
  if (found.kind === 'changed') {
    const percent = Math.floor(found.share * 100)
    const text = `${snapshot} has only ${String(percent)} % of what was in ${before?.slice(0, 8) ?? ''} before it`
    return { name, text }
  }
  if (found.kind === 'rate') {
    const text = `${String(found.count)} snapshots came within a day, where ${String(found.habit)} are usual`
    return { name, text }
  }
  const hours = String(Math.floor(found.byMs / 3_600_000))
  const text =
    found.kind === 'future'
      ? `${snapshot} claims a time ${hours} h after it came`
      : `${snapshot} claims a time ${hours} h before the one it follows`
  return { name, text }
}

function recordsOf(parts: SuspicionParts): Catalog {
  return parts.catalog.sub('suspicion')
}

function serialOf(parts: SuspicionParts): Serial {
  const known = SERIALS.get(parts.ledger)
  if (known !== undefined) return known
  const serial = new Serial()
  SERIALS.set(parts.ledger, serial)
  return serial
}
