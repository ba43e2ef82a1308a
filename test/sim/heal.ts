/**
 * The end of a run: all faults are over, what cannot be trusted is removed, everyone is up and reaches everyone. Then
 * all that was promised must come: every live snapshot is whole and restores, and space is given back (L1).
 */

import { memberNow, type RootId } from '../../protocol/index.ts'
import { handlersOf } from '../../node/operations/index.ts'
import { EVERY, pruneNow, quiet, removeBy, removeNow } from './actions.ts'
import { short } from './checks.ts'
import type { Device, Play } from './play.ts'
import { restoreAndCompare } from './snapshots.ts'
import { Violation } from './trace.ts'

const minuteMs = 60_000

/** Heals the world and checks what must come to be. @throws {Violation} */
export async function heal(play: Play): Promise<void> {
  play.say('all is healed')
  play.isHealed = true
  play.groups = undefined
  for (const device of play.devices) {
    const { machine } = device
    machine.putOut()
    machine.disk.capacityBytes = Infinity
    machine.isMapFull = false
    if (machine.isAsleep) machine.wake()
    await joinAfterAll(play, device)
    if (!machine.isOn && !isGone(play, device)) play.startSoon(device, 0)
  }
  play.connectAll()
  const isUp = () => play.devices.every((device) => isGone(play, device) || device.machine.isReady)
  if (!(await play.advanceUntil(isUp, 30 * minuteMs)))
    throw new Violation('L1', `not all machines come up: ${readDevices(play)}`)
  await play.advance(10 * minuteMs)
  // Backups that were under way end, however long they had been going to take.
  await play.advanceUntil(() => !play.isBusy(), 24 * 60 * minuteMs)
  await removeStranded(play)
  await removeDishonest(play)
  await forgetLost(play)
  await replicate(play)
  await restoreAll(play)
  countThin(play)
  // What a thin device announced is whole nowhere as long as nobody stores, and unknown means pinned (R6).
  const isStored = play.ready().some(({ machine }) => {
    return memberNow(machine.node!.ledger.membership, machine.device)?.capabilities.has('store') === true
  })
  if (isStored && !play.hasMembershipForked()) await reclaimAll(play)
}

/** What thin devices have come to: for the report, as whether they may depends on the goal. */
function countThin(play: Play): void {
  for (const { machine } of play.ready()) {
    const { ledger, store } = machine.node!
    for (const { root, owner } of ledger.live()) {
      if (owner !== machine.device || store.isComplete(root)) continue
      if (ledger.leaned().has(root)) play.trace.count('snapshots not handed over')
      else if (store.has(root)) play.trace.count('snapshots with trees alone')
    }
  }
}

/** Whoever was admitted while something went wrong joins now: all wait for a device that may lean (R6). */
async function joinAfterAll(play: Play, { machine }: Device): Promise<void> {
  const membership = play.newestMembership()
  if (machine.isMember || membership === undefined) return
  if (memberNow(membership, machine.device) !== undefined) await machine.join(membership)
}

/** Whoever is not a member any more, or has not become one. */
function isGone(play: Play, { machine }: Device): boolean {
  return play.truth.removed.has(machine.device) || !machine.isMember
}

/**
 * Who was away while all whom it knows were removed takes every present member for a stranger, for good (mesh.md N2.2):
 * a person removes it, as L1 has it. Nobody is spared to whom a way leads of devices that have each other as members.
 */
async function removeStranded(play: Play): Promise<void> {
  const newest = play.newestMembership()
  if (newest === undefined || play.hasMembershipForked()) return
  const isKnown = (a: Device, b: Device) =>
    memberNow(a.machine.node!.ledger.membership, b.machine.device) !== undefined
  const reached = new Set(
    play.ready().filter(({ machine }) => machine.node!.ledger.membership.headHash === newest.headHash),
  )
  for (const one of reached)
    for (const other of play.ready()) if (isKnown(one, other) && isKnown(other, one)) reached.add(other)
  const isOut = (device: Device) => !isGone(play, device) && !reached.has(device)
  for (const device of play.devices.filter(isOut)) {
    const { device: id, name } = device.machine
    const keeper = [...reached].find((one) => play.otherKeepers(device).includes(one))
    play.trace.count('stranded')
    // Admitted by those who were themselves left behind, it is a member of nothing.
    if (memberNow(newest, id) === undefined) {
      play.truth.removed.add(id)
      play.truth.forgive()
    } else if (keeper === undefined) throw new Violation('L1', `nobody can remove ${name}`)
    else play.say(removeBy(play, keeper, device))
    await play.advanceUntil(() => play.truth.removed.has(id))
  }
}

async function removeDishonest(play: Play): Promise<void> {
  for (const device of play.devices) {
    const { device: id, name } = device.machine
    if (!play.truth.dishonest.has(id) || play.truth.removed.has(id)) continue
    // A membership that forked can not be changed for all.
    if (play.hasMembershipForked()) continue
    if (removeNow(play, device) === undefined) throw new Violation('L1', `nobody can remove ${name}`)
    await play.advanceUntil(() => play.truth.removed.has(id))
  }
  await play.advance(5 * minuteMs)
}

/** A person forgets what is lost for good: nobody can complete it, and it might need anything (R6). */
async function forgetLost(play: Play): Promise<void> {
  const keeper = play.ready().find(({ plan, machine }) => {
    return plan.capabilities.has('forget') && !play.truth.dishonest.has(machine.device)
  })
  const node = keeper?.machine.node
  if (keeper === undefined || node === undefined) return
  const live = new Set(node.ledger.live().map(({ root }) => root))
  const snapshots = [...live].filter((root) => play.truth.lostRoots.has(root) || !isKept(play, root))
  if (snapshots.length === 0) return
  play.say(`${keeper.machine.name} forgets what is lost: ${snapshots.map(short).join(' ')}`)
  void play.task(keeper, 'forget', async () => {
    await handlersOf(node).forget({ snapshots, filter: EVERY, dryRun: false }, quiet())
  })
  await play.advance(5 * minuteMs)
}

/** Everyone who should hold a live snapshot does. */
async function replicate(play: Play): Promise<void> {
  const open = () =>
    play.ready().flatMap(({ machine }) => {
      const { ledger, store } = machine.node!
      const roots = ledger.live().map(({ root }) => root)
      return roots.filter((root) => isLacking(play, root, ledger.isWanted(root), store.isComplete(root)))
    })
  const isDone = await play.advanceUntil(() => open().length === 0, 6 * 60 * minuteMs)
  if (isDone || play.hasMembershipForked()) return
  const lacking = [...new Set(open())].map((root) => whereIs(play, root)).join('; ')
  throw new Violation('L1', `snapshots do not come to where they should be: ${lacking}`)
}

/** How much of a snapshot each has, for people. */
function whereIs({ archive, devices }: Play, root: RootId): string {
  const closure = archive.roots.get(root)?.closure ?? []
  const has = devices.map(
    ({ machine }) =>
      `${machine.name} ${String(closure.filter((id) => machine.has(id)).length)}` +
      (machine.node?.ledger.leaned().has(root) === true ? ' leaned' : ''),
  )
  return `${short(root)} of ${String(closure.length)} chunks: ${has.join(', ')}`
}

function isLacking(play: Play, root: RootId, isWanted: boolean, isHere: boolean): boolean {
  if (!isWanted || isHere || !play.truth.isLive(root)) return false
  return !play.truth.lostRoots.has(root) && isKept(play, root)
}

/** Whether a root is one of those that must be restorable: none of its chunks was lost to a fault. */
function isKept({ truth, archive }: Play, root: RootId): boolean {
  const known = archive.roots.get(root)
  if (known === undefined || !known.closure.every((id) => truth.isSomewhere(id))) return false
  // What has rotted is made good from somebody who has the whole snapshot: pieces elsewhere are not looked for.
  const hasRotted = known.closure.some((id) => truth.rotten.has(id))
  return !hasRotted || truth.members().some((machine) => truth.isSoundAt(machine, root))
}

/** Every live snapshot comes back byte for byte, at two devices at least. */
async function restoreAll(play: Play): Promise<void> {
  const readers = play.ready().filter(({ machine }) => machine.node!.vault !== undefined)
  for (const device of readers.slice(0, 2)) {
    const roots = new Set(device.machine.node!.ledger.live().map(({ root }) => root))
    for (const root of roots) {
      if (!play.truth.isLive(root) || play.truth.lostRoots.has(root) || !isKept(play, root)) continue
      const hasRotted = play.archive.roots.get(root)?.closure.some((id) => play.truth.rotten.has(id)) === true
      const isSound = play.truth.isSoundAt(device.machine, root)
      const isHere = isSound && device.machine.node!.store.isComplete(root)
      if ((play.hasMembershipForked() || hasRotted) && !isHere) continue
      let isDone = false
      const before = play.trace.counts.get('restores') ?? 0
      void play
        .task(device, 'restore', () => restoreAndCompare(play, device, root))
        .then(() => {
          isDone = true
        })
      await play.advanceUntil(() => isDone)
      if (play.trace.counts.get('restores') === before)
        throw new Violation('restore', `${device.machine.name} can not restore ${short(root)}`)
    }
  }
}

/** L1: what no live root needs goes away everywhere. */
async function reclaimAll(play: Play): Promise<void> {
  const { holdWindowMs, floorAgeMs } = play.weather
  await play.advance(holdWindowMs + floorAgeMs + 10 * minuteMs)
  const rounds = 4
  for (let round = 0; round < rounds; round++) {
    for (const device of play.ready()) {
      let isDone = false
      void play
        .task(device, 'prune', () => pruneNow(device, true))
        .then(() => {
          isDone = true
        })
      await play.advanceUntil(() => isDone)
    }
    await play.advance(2 * minuteMs)
    for (const device of play.ready()) await noteExcused(play, device)
    if (play.devices.every((device) => isGone(play, device) || superfluous(play, device).length === 0)) {
      play.trace.count('all reclaimed')
      return
    }
  }
  for (const device of play.ready()) {
    const left = superfluous(play, device)
    if (left.length === 0) continue
    const dead = device.machine.node!.ledger.dead().map(({ root, reason }) => `${short(root)} ${reason}`)
    throw new Violation(
      'L1',
      `${device.machine.name} keeps ${String(left.length)} chunks that nothing needs (${short(left[0]!)}); ` +
        `forgotten: ${dead.join(', ')}`,
    )
  }
}

/** What a floor or a pin keeps, by the node's own word, may stay. */
async function noteExcused(play: Play, device: Device): Promise<void> {
  const node = device.machine.node!
  const entries = await handlersOf(node).trash({}, quiet())
  const kept = entries.filter((entry) =>
    entry.waits_for.some(({ kind }) => kind === 'floor' || kind === 'pinned'),
  )
  play.excused.set(device.machine.device, new Set(kept.map(({ snapshot }) => snapshot.id as RootId)))
}

/** Chunks of a machine that no live root needs, nor one that a floor or a pin keeps here. */
function superfluous(play: Play, { machine }: Device): string[] {
  const { ledger, store } = machine.node!
  // What a rotten chunk refers to is unknown, and unknown means pinned.
  if (machine.hasRotted) return []
  const needed = new Set<string>()
  const keep = (root: RootId) => {
    for (const id of play.archive.roots.get(root)?.closure ?? []) needed.add(id)
  }
  for (const { root } of ledger.live()) keep(root)
  // A crash between the hold of a new snapshot and its announcement leaves a hold that nothing takes away.
  const known = new Set([...ledger.live(), ...ledger.dead()].map(({ root }) => root))
  for (const root of store.holds()) {
    if (known.has(root)) continue
    play.trace.count('holds of nothing')
    keep(root)
  }
  for (const root of play.excused.get(machine.device) ?? []) keep(root)
  return [...machine.chunks].filter((id) => !needed.has(id))
}

/** How all devices stand, for a message. */
function readDevices({ devices }: Play): string {
  return devices
    .map(({ machine }) => {
      const how = machine.isReady ? 'up' : machine.isAsleep ? 'asleep' : machine.isOn ? 'starting' : 'off'
      return `${machine.name} ${how}`
    })
    .join(', ')
}
