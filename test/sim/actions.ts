/** What the people of a household do: chosen by weight, so that what must not happen has its chance to. */

import {
  changeCopiesGoal,
  changeMember,
  memberNow,
  type RootId,
  signerFromSeed,
} from '../../protocol/index.ts'
import { admit } from '../../node/mesh/admit.ts'
import { handlersOf } from '../../node/operations/index.ts'
import type { CallContext } from '../../node/api.ts'
import { ATTACKS } from './evil.ts'
import { ACCIDENTS, type Happening, pickOf } from './faults.ts'
import { changeFiles } from './files.ts'
import type { Device, Play } from './play.ts'
import { backUp, restoreAndCompare } from './snapshots.ts'
import { FAULTS, plan } from './weather.ts'

/** Something that can be chosen. */
export interface Action {
  readonly name: string
  readonly weight: (play: Play) => number
  readonly run: Happening
}

/** A filter that everything fits. */
export const EVERY = { devices: [], paths: [], tags: [] }

/** A call that nobody listens to. */
export function quiet<M extends 'forget'>(): CallContext<M> {
  return {
    signal: new AbortController().signal,
    onEvent: () => undefined,
    input: nothing(),
    output: () => Promise.resolve(),
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // a person types nothing
}

/** What people do. */
const WORK: readonly Action[] = [
  { name: 'backup', weight: () => 9, run: startBackup },
  { name: 'forget', weight: (play) => (play.truth.liveRoots().length > 2 ? 6 : 0), run: forgetSome },
  { name: 'retention', weight: (play) => (play.truth.liveRoots().length > 3 ? 2 : 0), run: forgetByRule },
  { name: 'undelete', weight: () => 2, run: undelete },
  { name: 'pin', weight: () => 0.7, run: pinSome },
  { name: 'prune', weight: () => 5, run: prune },
  { name: 'restore', weight: () => 1, run: restoreOne },
  { name: 'image', weight: (play) => (play.weather.faults.rollback > 0 ? 3 : 0), run: takeImage },
  { name: 'goal', weight: (play) => play.weather.goalChanges, run: changeGoal },
  { name: 'rest', weight: () => 3, run: rest },
]

/** People, accidents and attacks. */
export const ACTIONS: readonly Action[] = [
  ...WORK,
  ...FAULTS.map(
    (kind): Action => ({
      name: kind,
      weight: (play) => play.weather.faults[kind],
      run: async (play) => {
        const what = { ...ACCIDENTS, ...ATTACKS, ...CHANGES }[kind]
        const said = await what?.(play)
        if (said !== undefined) play.trace.count(`fault ${kind}`)
        return said
      },
    }),
  ),
]

function startBackup(play: Play): string | undefined {
  const device = pickOf(
    play,
    play.ready().filter((one) => one.plan.capabilities.has('backup')),
  )
  if (device === undefined) return undefined
  if (play.chance.may(0.8)) device.files = changeFiles(device.files, play.chance)
  const waitMs = play.chance.pick([0, 0, 1, 3]) * play.weather.pauseMsMax
  void play.task(device, 'backup', () => backUp(play, device, waitMs))
  return `${device.machine.name} backs up`
}

function forgetSome(play: Play): string | undefined {
  const device = pickOf(play, play.ready())
  const node = device?.machine.node
  if (device === undefined || node === undefined) return undefined
  const live = node.ledger.live()
  if (live.length === 0) return undefined
  const snapshots = play.chance
    .shuffle(live)
    .slice(0, 1 + play.chance.below(2))
    .map(({ root }) => root)
  const atMs = play.scheduler.nowMs
  void play.task(device, 'forget', async () => {
    const done = await handlersOf(node).forget({ snapshots, filter: EVERY, dryRun: false }, quiet())
    play.checks.forgot(device.machine, done.snapshot_ids as RootId[], atMs)
    return `forgot ${done.snapshot_ids.map((id) => id.slice(0, 8)).join(' ')}`
  })
  return `${device.machine.name} forgets ${snapshots.map((root) => root.slice(0, 8)).join(' ')}`
}

function forgetByRule(play: Play): string | undefined {
  const device = pickOf(play, play.ready())
  const node = device?.machine.node
  if (device === undefined || node === undefined) return undefined
  const last = 1 + play.chance.below(2)
  const atMs = play.scheduler.nowMs
  void play.task(device, 'retention', async () => {
    const rules = { last }
    const done = await handlersOf(node).forget(
      { snapshots: [], filter: EVERY, rules, dryRun: false },
      quiet(),
    )
    play.checks.forgot(device.machine, done.snapshot_ids as RootId[], atMs)
    return `forgot ${done.snapshot_ids.map((id) => id.slice(0, 8)).join(' ')}`
  })
  return `${device.machine.name} keeps the last ${String(last)}`
}

function undelete(play: Play): string | undefined {
  const device = pickOf(
    play,
    play.ready().filter((one) => one.plan.capabilities.has('backup')),
  )
  const node = device?.machine.node
  if (device === undefined || node === undefined) return undefined
  void play.task(device, 'undelete', async () => {
    const dead = node.ledger.dead()
    if (dead.length === 0) return 'nothing to take back'
    const { root } = play.chance.pick(dead)
    const done = await handlersOf(node).undelete({ snapshots: [root] }, quiet())
    return `took back ${done.snapshot_ids.map((id) => id.slice(0, 8)).join(' ')}`
  })
  return `${device.machine.name} takes something back`
}

function pinSome(play: Play): string | undefined {
  const device = pickOf(
    play,
    play.ready().filter((one) => one.plan.capabilities.has('read')),
  )
  const node = device?.machine.node
  if (device === undefined || node === undefined) return undefined
  const live = node.ledger.live()
  if (live.length === 0) return undefined
  const snapshots = [play.chance.pick(live).root]
  const what = play.chance.may(0.5) ? 'pin' : 'unpin'
  void play.task(device, what, async () => {
    await handlersOf(node)[what]({ snapshots }, quiet())
  })
  return `${device.machine.name} ${what}s ${snapshots[0]!.slice(0, 8)}`
}

function prune(play: Play): string | undefined {
  const device = pickOf(play, play.ready())
  if (device === undefined) return undefined
  void play.task(device, 'prune', () => pruneNow(device, play.chance.may(0.3)))
  return `${device.machine.name} prunes`
}

/** Reclaims what may be reclaimed on one device. */
export async function pruneNow({ machine }: Device, unfinished: boolean): Promise<string> {
  const done = await handlersOf(machine.node!).prune({ dryRun: false, unfinished }, quiet() as never)
  const waits = done.waiting.map(({ block }) => `${block.kind} (${block.message})`).join('; ')
  return `released ${String(done.snapshots_released)}, removed ${String(done.chunks_removed)}, waits for ${waits}`
}

function restoreOne(play: Play): string | undefined {
  const device = pickOf(
    play,
    play.ready().filter((one) => one.plan.capabilities.has('read')),
  )
  const live = device?.machine.node?.ledger.live() ?? []
  if (device === undefined || live.length === 0) return undefined
  const { root } = play.chance.pick(live)
  void play.task(device, 'restore', () => restoreAndCompare(play, device, root))
  return `${device.machine.name} restores ${root.slice(0, 8)}`
}

function takeImage(play: Play): string {
  const device = play.chance.pick(play.devices)
  device.images = [...device.images, device.machine.image()].slice(-2)
  return `an image of ${device.machine.name}`
}

/** A keeper has other wishes: many let go at once, or take in. */
function changeGoal(play: Play): string | undefined {
  const keeper = pickOf(play, readyKeepers(play))
  const node = keeper?.machine.node
  if (keeper === undefined || node === undefined) return undefined
  const copiesGoal = play.chance.pick(['all', 1, 2] as const)
  void play.task(keeper, 'goal', async () => {
    await node.ledger.changeMembership((before, signer) =>
      changeCopiesGoal(before, signer, { copiesGoal, atMs: 0 }),
    )
    return `wants ${String(copiesGoal)}`
  })
  return `${keeper.machine.name} changes the goal`
}

/** Those who may admit, as they know themselves. */
function readyKeepers(play: Play): Device[] {
  return play.ready().filter(({ machine }) => {
    const { membership } = machine.node!.ledger
    const mayAdmit = memberNow(membership, machine.device)?.capabilities.has('admit') === true
    return mayAdmit && !play.truth.dishonest.has(machine.device)
  })
}

function rest(): string {
  return 'nothing happens'
}

/** Changes of the membership, by somebody who may. */
const CHANGES: Readonly<Partial<Record<string, Happening>>> = {
  remove: removeOne,
  readmit,
  join,
  'membership-fork': forkMembership,
}

/** Removes a device of which nothing is the only copy. */
function removeOne(play: Play): string | undefined {
  const { truth } = play
  const able = play.devices.filter((device) => {
    const { machine } = device
    if (truth.removed.has(machine.device) || play.otherKeepers(device).length === 0) return false
    return truth.liveRoots().every((root) => truth.wholeCopies(root).some((other) => other !== machine))
  })
  const victim = pickOf(play, able)
  if (victim === undefined || truth.members().length < 3) return undefined
  return removeNow(play, victim)
}

/** Has a keeper remove a device. */
export function removeNow(play: Play, victim: Device): string | undefined {
  const keepers = play.otherKeepers(victim).filter(({ machine }) => machine.isReady)
  const keeper = pickOf(play, keepers)
  return keeper === undefined ? undefined : removeBy(play, keeper, victim)
}

/** Has a certain keeper, which is up, remove a device. */
export function removeBy(play: Play, keeper: Device, victim: Device): string {
  const node = keeper.machine.node!
  const { name, device } = victim.machine
  void play.task(keeper, 'remove', async () => {
    await handlersOf(node).deviceRemove({ device }, quiet())
  })
  return `${keeper.machine.name} removes ${name}`
}

/** A removed machine comes back with a new key, and the chunks it has. */
async function readmit(play: Play): Promise<string | undefined> {
  const gone = play.devices.filter(
    ({ machine, plan: { name } }) =>
      play.truth.removed.has(machine.device) &&
      play.devices.every((other) => other.plan.name !== `${name}-again`),
  )
  const old = pickOf(play, gone)
  if (old === undefined) return undefined
  old.isRetired = true
  if (old.machine.isOn) old.machine.end('kill')
  const { name, role, capabilities } = old.plan
  return await admitOne(play, plan(`${name}-again`, role, [...capabilities]), old)
}

async function join(play: Play): Promise<string | undefined> {
  if (play.devices.length > 5) return undefined
  const name = `guest-${String(play.devices.length)}`
  const role = play.chance.pick(['writer', 'storer', 'keeper'] as const)
  const isLean = role !== 'storer' && play.chance.may(0.5)
  return await admitOne(play, plan(name, role, isLean ? ['lean'] : []))
}

async function admitOne(
  play: Play,
  terms: ReturnType<typeof plan>,
  old?: Device,
): Promise<string | undefined> {
  const keeper = pickOf(play, readyKeepers(play))
  const node = keeper?.machine.node
  if (node === undefined) return undefined
  const device = play.addDevice(terms)
  const { machine } = device
  if (old !== undefined) machine.takeChunksOf(old.machine)
  const { role, capabilities, name } = terms
  const request = { device: machine.device, name, role, mayForget: capabilities.has('forget') }
  void play.task(keeper!, 'admit', async () => {
    await admit(node.ledger, node.world.clock, request, { ring: node.ring, random: node.world.random })
    if (capabilities.has('lean')) {
      await node.ledger.changeMembership((before, signer) =>
        changeMember(before, signer, { device: machine.device, capabilities, atMs: 0 }),
      )
    }
    await machine.join(node.ledger.membership)
    play.startSoon(device, 10)
  })
  play.connectAll()
  return `${keeper!.machine.name} admits ${name}`
}

/** Two keepers remove one another's friend at once, apart from each other. */
function forkMembership(play: Play): string | undefined {
  if (play.isMembershipForked || play.devices.length < 3) return undefined
  const keepers = play.ready().filter(({ machine }) => {
    const { ledger } = machine.node!
    return memberNow(ledger.membership, machine.device)?.capabilities.has('admit') === true
  })
  const [a, b] = play.chance.shuffle(keepers)
  if (a === undefined || b === undefined) return undefined
  const { ledger: first } = a.machine.node!
  const { ledger: second } = b.machine.node!
  if (first.membership.headHash !== second.membership.headHash) return undefined
  play.isMembershipForked = true
  for (const [at, device] of [a, b].entries()) {
    const { ledger, world, ring } = device.machine.node!
    const { device: stranger } = signerFromSeed(play.chance.bytes(32))
    const request = {
      device: stranger,
      name: `fork-${String(at)}`,
      role: 'writer' as const,
      mayForget: false,
    }
    void play.task(device, 'fork', async () => {
      await admit(ledger, world.clock, request, { ring, random: world.random })
    })
  }
  return `${a.machine.name} and ${b.machine.name} change the membership at once`
}
