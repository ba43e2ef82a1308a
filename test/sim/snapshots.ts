/** Backups and restores, as the node does them, of files in memory. */

import { type ChunkId, isCellarError, leanableRoots, type RootId, vectorOf } from '../../protocol/index.ts'
import type { NodeParts } from '../../node/parts.ts'
import { openSource } from '../../node/operations/sources.ts'
import { SnapshotReader } from '../../node/snapshot-reader.ts'
import { sizeClassOf, sourceLabel } from '../../node/source-label.ts'
import { isSameFiles } from './files.ts'
import type { Device, Play } from './play.ts'
import { short } from './checks.ts'
import { Violation } from './trace.ts'

/**
 * Backs the files of a device up: what its own store has is not stored again; nor, on a device that leans, what a root
 * has that it may lean on (R5).
 *
 * @param waitMsMax - longest wait between two chunks; 0: none
 */
export async function backUp(play: Play, device: Device, waitMsMax: number): Promise<string> {
  const { machine } = device
  const node = machine.node!
  const { ledger, store, vault, world } = node
  if (vault === undefined || !ledger.self.capabilities.has('backup')) return 'is no backup device'
  // R4: the pin, and what may be leaned on by it, are of one moment.
  const pin = vectorOf(ledger.view)
  const leaned = chunksLeanedOn(play, node)
  const token = {}
  play.checks.opened(machine, token, pin)
  const session = await ledger
    .openSession(Buffer.from(world.random.bytes(8)).toString('hex'))
    .catch((error: unknown) => {
      play.checks.closed(machine, token, undefined)
      throw error
    })
  let root: RootId | undefined
  try {
    device.made++
    // Equal files of one device make another snapshot each time.
    const timeNs = BigInt(world.clock.nowMs()) * 1_000_000n + BigInt(device.made)
    const by = { device: machine.device, name: machine.name, timeNs }
    const sealed = play.archive.seal(vault, device.files, by)
    let lacking = 0
    for (const { id, bytes } of sealed.chunks) {
      if (waitMsMax > 0 && !play.isHealed && play.chance.may(0.4))
        await rest(node, play.chance.share() * waitMsMax)
      if (store.has(id)) continue
      if (leaned.has(id)) lacking++
      else await store.put(id, bytes)
    }
    await store.commit()
    if (lacking === 0) await holdWhole(play, device, sealed.root)
    else play.trace.count('backups that lean')
    const source = sourceLabel(vault.keys, machine.device, [Buffer.from('/')])
    await ledger.announce({ root: sealed.root, source, sizeClass: sizeClassOf(1000) })
    root = sealed.root
    node.connected()?.online.publishSoon()
  } finally {
    play.checks.closed(machine, token, root)
    await ledger.closeSession(session, root !== undefined)
  }
  play.trace.count('backups')
  return `saved ${short(root)}`
}

/** R6a: what a session was told is here, or has stored, is here when it closes. */
async function holdWhole(play: Play, { machine }: Device, root: RootId): Promise<void> {
  try {
    await machine.node!.store.hold(root)
  } catch (error) {
    if (isCellarError(error, 'CLOSURE_INCOMPLETE') && !machine.hasRotted)
      throw new Violation('R6a', `${machine.name} lost chunks of ${short(root)} while it was backed up`)
    throw error
  }
}

/** What a device that leans need not store. */
function chunksLeanedOn(play: Play, node: NodeParts): ReadonlySet<ChunkId> {
  const leaned = new Set<ChunkId>()
  const { ledger, signer } = node
  for (const root of leanableRoots(ledger.view, ledger.membership, signer.device))
    for (const id of play.archive.roots.get(root)?.closure ?? []) leaned.add(id)
  return leaned
}

/** Restores a snapshot, here or from peers, and compares it with what was backed up, byte for byte. */
export async function restoreAndCompare(play: Play, device: Device, root: RootId): Promise<string> {
  const node = device.machine.node!
  if (node.vault === undefined) return 'reads nothing'
  const { signal } = new AbortController()
  const open = await openSource(node, root, undefined, signal)
  try {
    const reader = new SnapshotReader(open.source, node.vault)
    const snapshot = await reader.root(root, signal)
    const found = new Map<string, Uint8Array>()
    for await (const { path, entry } of reader.walk(snapshot.trees, Buffer.from('/'), signal)) {
      if (entry.type !== 'file') continue
      const pieces: Uint8Array[] = []
      for await (const piece of reader.content(entry, signal)) pieces.push(Uint8Array.from(piece))
      found.set(Buffer.from(path).toString(), Buffer.concat(pieces))
    }
    const expected = play.archive.roots.get(root)?.files
    if (expected === undefined || !isSameFiles(found, expected))
      throw new Violation('restore', `${device.machine.name} restores ${short(root)} as something else`)
  } finally {
    await open.close()
  }
  play.trace.count('restores')
  return `restored ${short(root)}`
}

/** Waits by the running time of a node. */
function rest(node: NodeParts, ms: number): Promise<void> {
  return node.world.clock.sleep(ms, new AbortController().signal)
}
