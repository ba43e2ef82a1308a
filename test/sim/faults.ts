/** What goes wrong, by itself: machines, disks, clocks and links. */

import type { Ending } from './power.ts'
import type { Device, Play } from './play.ts'
import type { FaultKind } from './weather.ts'

/** Something that can happen now. @returns what is to be noted; undefined when it could not */
export type Happening = (play: Play) => string | undefined | Promise<string | undefined>

const hourMs = 3_600_000

/** Faults that nobody means. */
export const ACCIDENTS: Readonly<Partial<Record<FaultKind, Happening>>> = {
  'power-loss': (play) => endLater(play, 'power-loss'),
  kill: (play) => endLater(play, 'kill'),
  stop: stopOne,
  asleep: sleepOne,
  partition: part,
  'clock-jump': jump,
  'full-disk': fill,
  flip,
  rollback,
}

function endLater(play: Play, ending: Ending): string | undefined {
  const device = pickOf(
    play,
    play.devices.filter(({ machine }) => machine.isOn),
  )
  if (device === undefined) return undefined
  const { chance } = play
  if (chance.may(0.25)) {
    device.machine.end(ending)
    return `${device.machine.name} loses ${ending} at once`
  }
  const left = chance.below(chance.pick([3, 12, 40]))
  device.machine.light({ left, ending, isDone: chance.may(0.4) })
  return `${device.machine.name} ends by ${ending} after ${String(left)} changes`
}

function stopOne(play: Play): string | undefined {
  const device = pickOf(play, play.ready())
  if (device === undefined || device.isStarting) return undefined
  const { machine } = device
  play.checks.ended(machine, false)
  device.isStarting = true
  void machine.stop().then(
    () => {
      device.isStarting = false
      play.startSoon(device, 1 + play.chance.share() * 4 * play.weather.pauseMsMax)
    },
    (error: unknown) => {
      device.isStarting = false
      play.say(`${machine.name} stops badly: ${error instanceof Error ? error.message : String(error)}`)
      machine.end('kill')
    },
  )
  return `${machine.name} is stopped`
}

function sleepOne(play: Play): string | undefined {
  const device = pickOf(play, play.ready())
  if (device === undefined) return undefined
  device.machine.fallAsleep()
  play.connectAll()
  const forMs = play.chance.share() * play.chance.pick([10, 60]) * play.weather.pauseMsMax
  play.scheduler.after(forMs, () => {
    if (!device.machine.isAsleep) return
    device.machine.wake()
    play.connectAll()
    play.say(`${device.machine.name} wakes`)
  })
  return `${device.machine.name} falls asleep`
}

function part(play: Play): string | undefined {
  if (play.groups !== undefined) return undefined
  play.groups = new Map(play.devices.map(({ machine }) => [machine.device, play.chance.below(2)]))
  play.connectAll()
  play.scheduler.after(play.chance.share() * play.chance.pick([5, 30]) * play.weather.pauseMsMax, () => {
    play.groups = undefined
    play.connectAll()
    play.say('all reach one another')
  })
  const names = play.devices.map(
    ({ machine }) => `${machine.name}:${String(play.groups?.get(machine.device))}`,
  )
  return `the network parts: ${names.join(' ')}`
}

function jump(play: Play): string {
  const { machine } = play.chance.pick(play.devices)
  const hours = play.chance.pick([1, 30, 400, 9000]) * (play.chance.share() * 2 - 1)
  machine.wallErrorMs = Math.round(hours * hourMs)
  machine.hasJumped = true
  return `the clock of ${machine.name} is wrong by ${hours.toFixed(1)} hours`
}

function fill(play: Play): string | undefined {
  const device = pickOf(
    play,
    play.devices.filter(({ machine }) => machine.disk.capacityBytes === Infinity),
  )
  if (device === undefined) return undefined
  const { machine } = device
  machine.disk.capacityBytes = machine.usedBytes + play.chance.below(1500)
  machine.isMapFull = play.chance.may(0.25)
  play.scheduler.after(play.chance.share() * 20 * play.weather.pauseMsMax, () => {
    machine.disk.capacityBytes = Infinity
    machine.isMapFull = false
  })
  return `the disk of ${machine.name} is full${machine.isMapFull ? ', for its index too' : ''}`
}

/** A bit flips in a chunk that somebody else has: what cannot be recovered is no test. */
function flip(play: Play): string | undefined {
  const { truth, chance } = play
  const { machine } = chance.pick(play.devices)
  if (machine.damaged.size > 2) return undefined
  const others = truth.members().filter((other) => other !== machine)
  const elsewhere = [...machine.chunks].filter(
    (id) => machine.has(id) && others.some((other) => other.has(id) && other.isOn),
  )
  if (elsewhere.length === 0) return undefined
  const id = chance.pick(elsewhere.sort())
  const isWhole = [...play.checks.rootsOf(id)].every(
    (root) => !truth.isWholeAt(machine, root) || others.some((other) => truth.isSoundAt(other, root)),
  )
  if (!isWhole || !machine.flip(id, chance.below(1 << 16))) return undefined
  truth.rotten.add(id)
  truth.forgive()
  return `a bit of ${id.slice(0, 8)} flips at ${machine.name}`
}

/** A machine gets back the disk it had some time ago. */
function rollback(play: Play): string | undefined {
  const { truth } = play
  const able = play.devices.filter(
    (device) =>
      device.images.length > 0 &&
      !truth.dishonest.has(device.machine.device) &&
      !truth.removed.has(device.machine.device) &&
      play.otherKeepers(device).length > 0,
  )
  // One disk at a time: of the copies that are counted, one at least survives.
  if (
    play.devices.some(
      ({ machine }) => truth.dishonest.has(machine.device) && !truth.removed.has(machine.device),
    )
  )
    return undefined
  const device = pickOf(play, able)
  if (device === undefined) return undefined
  const { machine } = device
  if (machine.isOn) machine.end('kill')
  const image = device.images.pop()!
  machine.load(image)
  truth.dishonest.add(machine.device)
  truth.forgive()
  play.checks.ended(machine, true)
  play.startSoon(device, 10)
  return `${machine.name} gets its disk of ${((play.scheduler.nowMs - image.atMs) / 1000).toFixed(1)} seconds ago`
}

/** One of a list; undefined when it is empty. */
export function pickOf(play: Play, devices: readonly Device[]): Device | undefined {
  return devices.length === 0 ? undefined : play.chance.pick(devices)
}
