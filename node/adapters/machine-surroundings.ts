/** Battery and network of this machine, as the system tells of them (spec/schedule.md §4). */

import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  busctlNumber,
  isMeteredValue,
  type PowerSupply,
  runsOnBattery,
  type Surroundings,
} from '../schedule/surroundings.ts'

/** A bus that does not answer must not hold a schedule up, milliseconds. */
const answerWithinMs = 5000

const NETWORK_MANAGER = 'org.freedesktop.NetworkManager'

/** Where to ask, and how; a test gives its own. */
export interface MachinePlaces {
  /** @defaultValue /sys/class/power_supply */
  readonly powerSupply?: string
  /** Program that asks D-Bus. @defaultValue busctl, of systemd */
  readonly busctl?: string
}

/** Asks this machine each time. */
export function machineSurroundings(places: MachinePlaces = {}): Surroundings {
  const { powerSupply = '/sys/class/power_supply', busctl = 'busctl' } = places
  return {
    isOnBattery: () => Promise.resolve(runsOnBattery(readSupplies(powerSupply))),
    isMetered: async () => {
      const answer = await meteredProperty(busctl)
      return answer !== undefined && isMeteredValue(answer)
    },
  }
}

function readSupplies(directory: string): PowerSupply[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch {
    return [] // no such thing on this machine: it has no battery
  }
  return names.map((name) => {
    const read = (file: string) => readLine(join(directory, name, file))
    return { type: read('type') ?? '', scope: read('scope'), online: read('online'), status: read('status') }
  })
}

/** A battery may be taken out while it is asked: what cannot be read is not there. */
function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** What NetworkManager says; undefined where there is none, or no bus. */
function meteredProperty(busctl: string): Promise<number | undefined> {
  const args = [
    '--system',
    '--auto-start=no',
    'get-property',
    NETWORK_MANAGER,
    '/org/freedesktop/NetworkManager',
    NETWORK_MANAGER,
    'Metered',
  ]
  return new Promise((resolve) => {
    execFile(busctl, args, { timeout: answerWithinMs, encoding: 'utf8' }, (error, stdout) => {
      resolve(error === null ? busctlNumber(stdout) : undefined)
    })
  })
}
