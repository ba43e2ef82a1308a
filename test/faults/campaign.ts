/**
 * Kills backups, replication on either side and restores with kill -9 at moments by chance, and looks after each
 * whether anything was lost, is damaged or was stored twice.
 */

import assert from 'node:assert/strict'
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Device, finish } from '../tools/cellar.ts'
import { backUp, checkAll, Household, restoreSame, snapshotsOf, untilLinked } from '../tools/household.ts'
import { compareTrees, describeDifferences } from '../tools/compare-trees.ts'
import { storedBy, untilGrown } from '../tools/packs.ts'
import { type Seeded, seeded } from '../tools/seeded.ts'

/** What is killed. */
const KINDS = ['backup', 'backup in a node', 'sender', 'receiver', 'restore'] as const
type Kind = (typeof KINDS)[number]

/** How a campaign goes. */
export interface CampaignOptions {
  readonly kills: number
  readonly seed: string
  /** Is told each kill, before it. */
  readonly tell: (line: string) => void
}

/** What a campaign did. */
export interface CampaignReport {
  readonly kills: number
  /** Kills that came before the work had ended: only these prove anything. */
  readonly hits: number
}

const mebibyte = 1024 * 1024
/** Work takes less than this on most machines, milliseconds: kills are spread over it. */
const killMsMax = 1500
/** New bytes of each round. */
const roundBytes = 6 * mebibyte

/** Two devices and what they back up; each round adds a directory that stays as it is from then on. */
class Campaign {
  readonly #house: Household
  readonly #chance: Seeded
  readonly #laptop: Device
  readonly #desktop: Device
  readonly #source: string
  /** Snapshots that were said to be saved, with the last round in each. */
  readonly #saved = new Map<string, number>()
  #round = 0
  hits = 0

  constructor(house: Household, seed: string) {
    this.#house = house
    this.#chance = seeded(seed)
    this.#laptop = house.device('laptop')
    this.#desktop = house.device('desktop')
    this.#source = house.path('source')
    mkdirSync(this.#source)
  }

  async begin(): Promise<void> {
    await this.#desktop.init()
    await this.#desktop.start()
    await this.#desktop.admit(this.#laptop, 'writer')
    await this.#laptop.start()
    this.#addRound()
    await this.#backUpWhole()
  }

  #addRound(): void {
    this.#round++
    const directory = join(this.#source, `round-${String(this.#round)}`)
    mkdirSync(directory)
    writeFileSync(join(directory, 'large'), this.#chance.bytes(roundBytes))
    for (let n = 0; n < 20; n++)
      writeFileSync(join(directory, `small-${String(n)}`), this.#chance.bytes(this.#chance.below(30_000)))
    // A file that is another one in each round, of the same size and time as before but for its change time.
    writeFileSync(join(this.#source, 'changing'), this.#chance.bytes(mebibyte))
    utimesSync(join(this.#source, 'changing'), 1_700_000_000, 1_700_000_000)
  }

  /** What must always work: the next run finishes, and both devices hold what it saved. */
  async #backUpWhole(): Promise<void> {
    const { id, summary } = await backUp(this.#laptop, this.#source, '--wait')
    assert.equal(summary.copies, 2)
    this.#saved.set(id, this.#round)
  }

  /** Kills in the middle of storing on the laptop, after as many bytes as chance says. */
  async #killDuring(work: Promise<unknown>, kill: () => Promise<void> | void): Promise<void> {
    if (await untilGrown(this.#laptop.home, this.#chance.below(roundBytes), work)) this.hits++
    await kill()
    await work
  }

  /** One kill. Afterwards both nodes run. */
  async kill(kind: Kind): Promise<void> {
    const [laptop, desktop] = [this.#laptop, this.#desktop]
    if (kind !== 'restore') this.#addRound()
    switch (kind) {
      case 'backup': {
        await laptop.stop()
        const child = laptop.spawn(['--json', 'backup', this.#source])
        await this.#killDuring(finish(child), () => void child.kill('SIGKILL'))
        await laptop.start()
        break
      }
      case 'backup in a node':
        await this.#killDuring(laptop.try('--json', 'backup', this.#source), () => laptop.kill())
        await laptop.start()
        break
      case 'sender':
      case 'receiver': {
        const victim = kind === 'sender' ? laptop : desktop
        await untilLinked(laptop, desktop)
        const child = laptop.spawn(['--json', 'backup', this.#source, '--wait'])
        const ended = finish(child)
        await new Promise<void>((resolve) => {
          child.stdout?.on('data', (text: string) => {
            if (text.includes('"saved"')) resolve()
          })
          void ended.then(() => {
            resolve()
          })
        })
        await pause(this.#chance.below(killMsMax / 5)) // a moment by chance is what this is about
        if (child.exitCode === null) this.hits++
        await victim.kill()
        child.kill('SIGKILL')
        await ended
        await victim.start()
        break
      }
      case 'restore':
        await this.#killRestore()
        break
    }
  }

  async #killRestore(): Promise<void> {
    const target = this.#house.path(`restored-${String(this.#chance.below(2 ** 30))}`)
    const child = this.#laptop.spawn(['--json', 'restore', 'latest', '--from', 'desktop', '--target', target])
    const ended = finish(child)
    await pause(this.#chance.below(killMsMax)) // a moment by chance is what this is about
    if (child.exitCode === null) this.hits++
    child.kill('SIGKILL')
    await ended
    await this.#laptop.kill()
    await this.#laptop.start()
    await restoreSame(
      this.#laptop,
      'latest',
      this.#source,
      target,
      '--from',
      'desktop',
      '--delete',
      '--overwrite',
      'if-changed',
    )
    rmSync(target, { recursive: true })
  }

  /** That all is well, whatever happened before. */
  async look(): Promise<void> {
    await this.#backUpWhole()
    for (const device of [this.#laptop, this.#desktop]) {
      const known = new Map((await snapshotsOf(device)).map((one) => [one.id, one]))
      for (const id of this.#saved.keys())
        assert.equal(known.get(id)?.here, true, `${device.name} lost snapshot ${id}`)
      const { bytesTwice } = storedBy(device.home)
      assert.equal(bytesTwice, 0, `${device.name} stored ${String(bytesTwice)} bytes twice`)
    }
    await Promise.all([checkAll(this.#laptop), checkAll(this.#desktop)])
  }

  /** That the first and the last snapshot give back what was then. */
  async end(): Promise<void> {
    const saved = [...this.#saved]
    for (const [id, round] of [saved[0], saved.at(-1)].flatMap((one) => (one === undefined ? [] : [one]))) {
      const target = this.#house.path(`end-${String(round)}`)
      const directory = join(this.#source, `round-${String(round)}`)
      await this.#desktop.run('restore', `${id}:${directory}`, '--target', target)
      const differences = compareTrees(directory, target)
      assert.equal(differences.length, 0, describeDifferences(differences))
    }
  }
}

/** Runs a campaign; fails at the first thing that is not as it should be. */
export async function killCampaign({ kills, seed, tell }: CampaignOptions): Promise<CampaignReport> {
  const kinds = seeded(`kinds ${seed}`)
  await using house = new Household()
  const campaign = new Campaign(house, seed)
  await campaign.begin()
  for (let n = 0; n < kills; n++) {
    // Each kind in turn, from one that chance picks.
    const kind = KINDS[n % KINDS.length] ?? kinds.pick(KINDS)
    tell(`kill ${String(n + 1)} of ${String(kills)}: ${kind}`)
    await campaign.kill(kind)
    await campaign.look()
  }
  await campaign.end()
  return { kills, hits: campaign.hits }
}
