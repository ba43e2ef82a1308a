/**
 * Three devices as real processes that live through continuous changes: two back up, the keeper forgets, the storer is
 * killed again and again. Snapshots are restored and compared on the way, and those that live at the end once more.
 */

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Device } from '../tools/cellar.ts'
import { AT_ONCE, prune, setSettings } from '../tools/forgetting.ts'
import {
  backUp,
  checkAll,
  Household,
  snapshotsOf,
  untilAllHold,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { type Seeded, seeded } from '../tools/seeded.ts'
import { type Growth, growthOf, type Life, look, mebibytes } from './health.ts'
import { ChangingTree, digestOf } from './tree.ts'

/** How long, from which seed. */
export interface SoakOptions {
  readonly minutes: number
  readonly seed: string
  /**
   * Within these the compare at the end is done: each snapshot from one giver first, then from the other.
   *
   * @defaultValue however long it takes
   */
  readonly compareMinutes?: number
  /** Rounds that are played even when the time is up. @defaultValue 3 */
  readonly roundsMin?: number
  /** Between two looks at the processes. @defaultValue 5000 */
  readonly lookEveryMs?: number
  /** Is told how it goes. */
  readonly tell: (line: string) => void
}

/** What came of it. */
export interface SoakReport {
  readonly rounds: number
  readonly backups: number
  readonly forgotten: number
  readonly kills: number
  /** Snapshots that lived at the end. */
  readonly snapshots: number
  /** Restores that were compared on the way. */
  readonly early: number
  /** Restores that were compared at the end; two of each snapshot, unless there was no time. */
  readonly restores: number
  /** Of each process that lived long enough to say. */
  readonly growth: readonly (Growth & { readonly name: string; readonly samples: number })[]
}

/** Snapshots kept of each source. */
const keptMax = 8
/** Of whom snapshots are restored on the laptop. */
const givers = ['desktop', 'pi'] as const

/** Plays it. @throws when a snapshot is not what was backed up, or a command fails */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  await using house = new Household()
  const play = new Play(house, options)
  return await play.run()
}

class Play {
  readonly #house: Household
  readonly #options: SoakOptions
  readonly #chance: Seeded
  readonly #laptop: Device
  readonly #desktop: Device
  readonly #pi: Device
  readonly #trees = new Map<Device, ChangingTree>()
  /** Digest of what was backed up, by snapshot, and where it was. */
  readonly #expected = new Map<string, { readonly digest: string; readonly path: string }>()
  readonly #lives: (Life & { readonly device: Device })[] = []
  #backups = 0
  #forgotten = 0
  #kills = 0
  #early = 0

  constructor(house: Household, options: SoakOptions) {
    this.#house = house
    this.#options = options
    this.#chance = seeded(options.seed)
    this.#laptop = house.device('laptop')
    this.#desktop = house.device('desktop')
    this.#pi = house.device('pi')
  }

  async run(): Promise<SoakReport> {
    await this.#gather()
    const looking = new AbortController()
    const looked = this.#lookOn(looking.signal)
    const endMs = performance.now() + this.#options.minutes * 60_000
    let rounds = 0
    try {
      for (; rounds < (this.#options.roundsMin ?? 3) || performance.now() < endMs; rounds++)
        await this.#round(rounds)
    } finally {
      // The compare is other work than that of the rounds: memory is judged by what was alike all the time.
      looking.abort()
      await looked
    }
    const restores = await this.#compareAll()
    return {
      rounds,
      backups: this.#backups,
      forgotten: this.#forgotten,
      kills: this.#kills,
      snapshots: this.#expected.size,
      early: this.#early,
      restores,
      growth: this.#lives.flatMap((life) => {
        const growth = growthOf(life)
        return growth === undefined ? [] : [{ name: life.name, samples: life.samples.length, ...growth }]
      }),
    }
  }

  async #gather(): Promise<void> {
    await this.#desktop.init()
    await this.#desktop.start()
    await this.#desktop.admit(this.#laptop, 'writer')
    await this.#desktop.admit(this.#pi, 'storer')
    await this.#desktop.stop()
    for (const device of [this.#desktop, this.#pi, this.#laptop]) {
      // Without multicast a device is found where the settings say.
      const peers = this.#lives.map(({ device: { addresses } }) => JSON.stringify(addresses[0]))
      setSettings(device, `${AT_ONCE}peers = [${peers.join(', ')}]\n`)
      await this.#start(device)
    }
    await this.#untilAllLinked()
    for (const device of [this.#laptop, this.#desktop])
      this.#trees.set(device, new ChangingTree(this.#house.path(`files-of-${device.name}`), this.#chance))
  }

  async #start(device: Device): Promise<void> {
    await device.start()
    this.#lives.push({ device, name: device.name, pid: device.pid!, samples: [] })
  }

  async #untilAllLinked(): Promise<void> {
    await untilLinked(this.#pi, this.#desktop)
    await untilLinked(this.#laptop, this.#desktop)
    await untilLinked(this.#laptop, this.#pi)
  }

  async #lookOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const { pid, samples } of this.#lives) {
        const sample = look(pid, performance.now())
        if (sample !== undefined) samples.push(sample)
      }
      await pause(this.#options.lookEveryMs ?? 5000, undefined, { signal }).catch(() => undefined)
    }
  }

  async #round(round: number): Promise<void> {
    for (const tree of this.#trees.values()) tree.change()
    // Both at once, with the storer killed in the midst of it now and then.
    const backups = [...this.#trees].map(([device, tree]) => this.#backUp(device, tree))
    if (round % 5 === 4) await this.#killStorer()
    await Promise.all(backups)
    if (round % 4 === 3) await this.#forget()
    if (round % 10 === 9) await this.#takeStock(round)
  }

  async #backUp(device: Device, tree: ChangingTree): Promise<void> {
    const digest = tree.digest()
    const { id } = await backUp(device, tree.path)
    this.#expected.set(id, { digest, path: tree.path })
    this.#backups++
  }

  async #killStorer(): Promise<void> {
    await pause(this.#chance.below(400))
    await this.#pi.kill()
    this.#kills++
    await this.#start(this.#pi)
  }

  async #forget(): Promise<void> {
    await this.#desktop.run('forget', '--keep-last', String(keptMax))
    const kept = new Set((await snapshotsOf(this.#desktop)).map(({ id }) => id))
    for (const id of [...this.#expected.keys()].filter((known) => !kept.has(known))) {
      this.#expected.delete(id)
      this.#forgotten++
    }
    await prune(this.#laptop)
  }

  async #takeStock(round: number): Promise<void> {
    await untilLinked(this.#pi, this.#desktop)
    await untilAllHold([this.#laptop, this.#desktop, this.#pi], this.#expected.size)
    const unbroken = this.#lives.filter(({ device }) => device !== this.#pi)
    const memory = unbroken.map(({ name, samples }) => {
      const last = samples.at(-1)
      return `${name} ${mebibytes(last?.rssBytes ?? 0)}, ${String(last?.handles)} handles`
    })
    this.#options.tell(
      `round ${String(round + 1)}: ${String(this.#expected.size)} snapshots on all three; ${memory.join('; ')}`,
    )
    const [id = ''] = this.#shuffled()
    await this.#compare(id, givers[this.#early++ % givers.length]!)
  }

  /** Everything that lives is on all three, and comes back exactly from each of the others. @returns the restores */
  async #compareAll(): Promise<number> {
    await this.#forget()
    const devices = [this.#laptop, this.#desktop, this.#pi]
    await this.#untilAllLinked()
    await untilAllHold(devices, this.#expected.size)
    const listed = (await snapshotsOf(this.#desktop)).map(({ id }) => id).sort()
    const expected = [...this.#expected.keys()].sort()
    if (listed.join() !== expected.join())
      throw new Error(`listed are ${listed.join(' ')}, expected were ${expected.join(' ')}`)
    for (const device of devices) await checkAll(device)
    await untilStatus(this.#desktop, 'no trouble', ({ snapshots }) => snapshots.nowhere === 0)
    const { compareMinutes = Infinity } = this.#options
    const endMs = performance.now() + compareMinutes * 60_000
    const ids = this.#shuffled()
    let restores = 0
    for (const turn of [0, 1])
      for (const [at, id] of ids.entries()) {
        if (performance.now() > endMs) return restores
        await this.#compare(id, givers[(at + turn) % givers.length]!)
        restores++
      }
    return restores
  }

  #shuffled(): string[] {
    const left = [...this.#expected.keys()]
    const shuffled: string[] = []
    while (left.length > 0) shuffled.push(...left.splice(this.#chance.below(left.length), 1))
    return shuffled
  }

  /** Restores a snapshot on the laptop from another device alone. @throws when it is not what was backed up */
  async #compare(id: string, from: (typeof givers)[number]): Promise<void> {
    const { digest, path } = this.#expected.get(id)!
    const target = this.#house.path('restored')
    mkdirSync(target)
    await this.#laptop.run('restore', id, '--from', from, '--target', target)
    if (digestOf(join(target, path)) !== digest)
      throw new Error(`snapshot ${id} from ${from} is not what was backed up`)
    rmSync(target, { recursive: true })
  }
}
