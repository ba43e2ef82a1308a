/** Backups and restores, as the node does them, of files in memory. */

import { isCellarError, type RootId, vectorOf } from '../../protocol/index.ts'
import type { Presence } from '../../node/backup/presence.ts'
import { inSession, type SessionParts } from '../../node/backup/session.ts'
import type { NodeParts } from '../../node/parts.ts'
import { openSource } from '../../node/operations/sources.ts'
import { SnapshotReader } from '../../node/snapshot-reader.ts'
import { sizeClassOf, sourceLabel } from '../../node/source-label.ts'
import { isSameFiles } from './files.ts'
import type { Device, Play } from './play.ts'
import { short } from './checks.ts'
import { Violation } from './trace.ts'

/**
 * Backs the files of a device up: what is present is not stored again, as the node's own backup does it (R4, R5).
 *
 * @param waitMsMax - longest wait between two chunks; 0: none
 */
export async function backUp(play: Play, device: Device, waitMsMax: number): Promise<string> {
  const { machine } = device
  const node = machine.node!
  const { ledger, store, vault, world } = node
  if (vault === undefined || !ledger.self.capabilities.has('backup')) return 'is no backup device'
  // R4: what the session pins is of the moment in which it is opened.
  const token = {}
  play.checks.opened(machine, token, vectorOf(ledger.view))
  const source = sourceLabel(vault.keys, machine.device, [Buffer.from('/')])
  let root: RootId | undefined
  let isOpen = true
  const end = (announced?: RootId) => {
    if (isOpen) play.checks.closed(machine, token, announced)
    isOpen = false
  }
  const parts: SessionParts = {
    store,
    random: world.random,
    ledger: {
      openSession: (id) => ledger.openSession(id),
      announce: async (pending, leans) => {
        const isAnnounced = await ledger.announce(pending, leans)
        if (isAnnounced) root = pending.root
        return isAnnounced
      },
      closeSession: (session, isComplete) => {
        end(root)
        return ledger.closeSession(session, isComplete)
      },
    },
    publish: () => {
      node.connected()?.online.publishSoon()
      return Promise.resolve()
    },
  }
  const seal = async (presence: Presence): Promise<RootId> => {
    device.made++
    // Equal files of one device make another snapshot each time.
    const timeNs = BigInt(world.clock.nowMs()) * 1_000_000n + BigInt(device.made)
    const by = { device: machine.device, name: machine.name, timeNs }
    const sealed = play.archive.seal(vault, device.files, by)
    let leaned = 0
    for (const { id, bytes } of sealed.chunks) {
      if (waitMsMax > 0 && !play.isHealed && play.chance.may(0.4))
        await rest(node, play.chance.share() * waitMsMax)
      if (store.has(id)) continue
      // As a backup does: what is in files is left to others, what tells of it is kept.
      const isContent = play.archive.links.get(id)?.length === 0
      if (isContent && presence.has(id)) leaned++
      else await store.put(id, bytes)
    }
    await store.commit()
    if (leaned > 0) play.trace.count('backups that lean')
    return sealed.root
  }
  let made: RootId
  try {
    made = await inSession(parts, {
      seal,
      rootOf: (sealed) => ({ root: sealed, source, sizeClass: sizeClassOf(1000) }),
    })
  } catch (error) {
    // R6a: what a session was told is here, or has stored, is here when it closes.
    if (isCellarError(error, 'CLOSURE_INCOMPLETE') && !machine.hasRotted)
      throw new Violation('R6a', `${machine.name} lost chunks while it was backed up`)
    throw error
  } finally {
    end()
  }
  play.trace.count('backups')
  return `saved ${short(made)}`
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
