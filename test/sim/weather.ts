/** What a run is like: the household, its settings, and how often each fault comes; all drawn from the seed. */

import {
  type Capability,
  type CopiesGoal,
  type MachineRole,
  ROLE_CAPABILITIES,
} from '../../protocol/index.ts'
import type { Chance } from './random.ts'

/** Every kind of fault; each must have come in a campaign. */
export const FAULTS = [
  'power-loss',
  'kill',
  'stop',
  'asleep',
  'partition',
  'clock-jump',
  'full-disk',
  'flip',
  'rollback',
  'equivocate',
  'back-date',
  'forget-without-right',
  'remove',
  'readmit',
  'join',
  'membership-fork',
] as const

/** One kind of fault. */
export type FaultKind = (typeof FAULTS)[number]

/** One device of the household. */
export interface DevicePlan {
  readonly name: string
  readonly role: MachineRole
  readonly capabilities: ReadonlySet<Capability>
}

/** All that is drawn before a run begins. */
export interface Weather {
  readonly devices: readonly DevicePlan[]
  readonly copiesGoal: CopiesGoal
  /** Weight of changing that on the way. */
  readonly goalChanges: number
  /** Steps of the workload before all is healed. */
  readonly steps: number
  /** Longest time between two steps, milliseconds. */
  readonly pauseMsMax: number
  readonly diskLatencyMs: number
  readonly netDelayMs: number
  /** Share of notices that are lost, and of those that come twice. */
  readonly noticeLoss: number
  readonly holdWindowMs: number
  readonly floorAgeMs: number
  readonly floorNewest: number
  /** Weight of each kind of fault beside the weights of the workload; 0: never in this run. */
  readonly faults: Readonly<Record<FaultKind, number>>
}

const minuteMs = 60_000

/** How likely a kind is to come in a run at all, and how heavy it is then. */
const HABITS: Readonly<Record<FaultKind, readonly [share: number, weight: number]>> = {
  'power-loss': [0.5, 4],
  kill: [0.4, 3],
  stop: [0.3, 2],
  asleep: [0.5, 4],
  partition: [0.5, 4],
  'clock-jump': [0.3, 2],
  'full-disk': [0.25, 2],
  flip: [0.25, 2],
  rollback: [0.15, 1.5],
  equivocate: [0.15, 1.5],
  'back-date': [0.2, 1.5],
  'forget-without-right': [0.25, 2],
  remove: [0.25, 1],
  readmit: [0.5, 3],
  join: [0.3, 1],
  'membership-fork': [0.06, 1],
}

/** Draws the weather of a run. */
export function drawWeather(chance: Chance): Weather {
  const faults = Object.fromEntries(
    FAULTS.map((kind) => [kind, chance.may(HABITS[kind][0]) ? HABITS[kind][1] * (0.5 + chance.share()) : 0]),
  ) as Record<FaultKind, number>
  const isCalm = chance.may(0.1)
  const pauseMsMax = chance.pick([200, 2000, 20_000, 5 * minuteMs])
  const calm = Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<FaultKind, number>
  // Letting go of what enough others have goes wrong when many do so at once, apart from one another.
  const isShedding = chance.may(0.15)
  // Leaning goes wrong when thin devices have dropped something, are away, and others forget and reclaim meanwhile; or
  // when those who should take what leans have no room for it.
  const isThin = !isShedding && chance.may(0.25)
  return {
    devices: isThin ? drawThin(chance) : drawDevices(chance, isShedding ? 2 : 0),
    copiesGoal: isThin
      ? chance.pick([1, 'all'] as const)
      : chance.may(0.4)
        ? 2
        : chance.may(0.35)
          ? 1
          : 'all',
    goalChanges: isShedding ? 8 : chance.may(0.3) ? 1.5 : 0,
    steps: 15 + chance.below(40),
    pauseMsMax: isThin ? Math.max(pauseMsMax, 20_000) : pauseMsMax,
    diskLatencyMs: chance.pick([0, 2, 20]),
    netDelayMs: chance.pick(isShedding ? [50, 400, 2000] : [0, 5, 50, 400]),
    noticeLoss: chance.pick([0, 0.2, 0.7]),
    // Windows that end while a run goes on: not all at once, and not all at its end.
    holdWindowMs: Math.round(chance.pick([0, 0, 1.5, 5, 30]) * pauseMsMax),
    floorAgeMs: chance.pick([0, 0, minuteMs]),
    floorNewest: chance.pick([0, 1, 2]),
    faults: isShedding
      ? { ...calm, asleep: 6, partition: 10, kill: 2 }
      : isThin
        ? {
            ...(isCalm ? calm : faults),
            ...{ asleep: 4, partition: 4, kill: 2 },
            ...(chance.may(0.5) && { 'full-disk': 5 }),
          }
        : isCalm
          ? calm
          : faults,
  }
}

function drawDevices(chance: Chance, more: number): DevicePlan[] {
  const count = 2 + more + chance.weigh([0, 1, 2, 3], (many) => [1, 5, 4, 1][many] ?? 0)!
  const names = ['desktop', 'laptop', 'box', 'phone', 'studio']
  return names.slice(0, count).map((name, at): DevicePlan => {
    if (at === 0) return plan(name, 'keeper', chance.may(0.35) ? ['lean'] : [])
    if (name === 'box') return plan(name, 'storer', chance.may(0.4) ? ['forget'] : [])
    const role = chance.may(0.35) ? 'keeper' : 'writer'
    if (!chance.may(0.6)) return plan(name, role, [])
    // One that stores nothing for others has little itself, and leans most.
    const isThin = chance.may(0.6)
    const { capabilities } = plan(name, role, ['lean'])
    return {
      name,
      role,
      capabilities: new Set([...capabilities].filter((one) => !isThin || one !== 'store')),
    }
  })
}

/** Two that store, and one or two that leave it to them. */
function drawThin(chance: Chance): DevicePlan[] {
  const thin = (name: string): DevicePlan => {
    const { role, capabilities } = plan(name, chance.may(0.35) ? 'keeper' : 'writer', ['lean'])
    return { name, role, capabilities: new Set([...capabilities].filter((one) => one !== 'store')) }
  }
  const box = plan('box', 'storer', chance.may(0.4) ? ['forget'] : [])
  return [plan('desktop', 'keeper', []), thin('laptop'), box, ...(chance.may(0.4) ? [thin('phone')] : [])]
}

/** A device of a role, with what it may besides. */
export function plan(name: string, role: MachineRole, also: readonly Capability[]): DevicePlan {
  return { name, role, capabilities: new Set([...ROLE_CAPABILITIES[role], ...also]) }
}
