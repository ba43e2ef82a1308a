/** What a machine's battery and network say about running something now: pure (spec/schedule.md §4). */

import type { TaskConditions } from './task.ts'

/** What a task may have to wait for. */
export type Hindrance = 'battery' | 'metered'

/** Asks the machine; what it cannot tell is taken for power from the wall and a network without a price. */
export interface Surroundings {
  /** True while the machine runs on its battery. */
  isOnBattery(): Promise<boolean>
  /** True while the network costs by volume. */
  isMetered(): Promise<boolean>
}

/** A machine that always has power, and a network without a price. */
export const AT_HOME: Surroundings = {
  isOnBattery: () => Promise.resolve(false),
  isMetered: () => Promise.resolve(false),
}

/** What stands in the way of a task now; undefined: nothing. */
export async function hindranceOf(
  conditions: TaskConditions | undefined,
  surroundings: Surroundings,
): Promise<Hindrance | undefined> {
  if (conditions === undefined) return undefined
  if (!conditions.onBattery && (await surroundings.isOnBattery())) return 'battery'
  if (!conditions.onMetered && (await surroundings.isMetered())) return 'metered'
  return undefined
}

/** The same in words. */
export const HINDRANCES: Readonly<Record<Hindrance, string>> = {
  battery: 'the machine runs on its battery',
  metered: 'the network is metered',
}

/** One entry of /sys/class/power_supply; texts as the files have them, without their line ends. */
export interface PowerSupply {
  readonly type: string
  /** `Device` for the battery of a mouse or a keyboard. */
  readonly scope: string | undefined
  /** Of what gives power from outside: `1` while it does. */
  readonly online: string | undefined
  /** Of a battery: `Charging`, `Discharging`, `Full`, `Not charging`, `Unknown`. */
  readonly status: string | undefined
}

/**
 * Whether the machine runs on its battery: one is being emptied, and nothing gives power from outside. A machine
 * without a battery never does; nor does one whose mouse has a battery.
 */
export function runsOnBattery(supplies: readonly PowerSupply[]): boolean {
  const own = supplies.filter(({ scope }) => scope !== 'Device')
  if (own.some(({ type, online }) => type !== 'Battery' && type !== 'UPS' && online === '1')) return false
  return own.some(({ type, status }) => (type === 'Battery' || type === 'UPS') && status === 'Discharging')
}

/** What NetworkManager says of the connection in use: 1 metered, 3 guessed so; 0 unknown, 2 and 4 not. */
export function isMeteredValue(value: number): boolean {
  return value === 1 || value === 3
}

/** The number in an answer of `busctl get-property` such as `u 4`; undefined when it is something else. */
export function busctlNumber(text: string): number | undefined {
  const [, digits] = /^u (\d+)\s*$/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits)
}
