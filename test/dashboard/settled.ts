/** A household in which something has happened, so that each screen has something to show. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Device } from '../tools/cellar.ts'
import { backUp, Household, untilAllHold, untilLinked } from '../tools/household.ts'

/** Three devices, of which the box was switched off; two snapshots, one of them forgotten. */
export interface Settled {
  readonly house: Household
  readonly desktop: Device
  readonly laptop: Device
  readonly pi: Device
  /** The directory that was backed up. */
  readonly source: string
}

/** Files as people have them. */
export function writeDocuments(source: string): void {
  mkdirSync(join(source, 'letters'), { recursive: true })
  mkdirSync(join(source, 'recipes'), { recursive: true })
  writeFileSync(join(source, 'letters', 'landlord.txt'), 'Dear landlord,\nthe heating is cold.\n')
  writeFileSync(join(source, 'letters', 'aunt.txt'), 'Dear aunt,\nthank you for the socks.\n')
  writeFileSync(join(source, 'recipes', 'soup.md'), '# Soup\n\nWater, salt, patience.\n')
  writeFileSync(join(source, 'budget.csv'), 'month,amount\nJanuary,12\n')
}

/** Sets it up; closed by its household. */
export async function settle(): Promise<Settled> {
  const house = new Household()
  const [desktop, laptop, pi] = [house.device('desktop'), house.device('laptop'), house.device('pi')]
  await desktop.init()
  await desktop.start()
  await desktop.admit(laptop, 'writer')
  await desktop.admit(pi, 'storer', '--quota', '500G')
  await Promise.all([laptop.start(), pi.start()])
  await untilLinked(desktop, laptop)
  await untilLinked(desktop, pi)
  const source = house.path('Documents')
  writeDocuments(source)
  const first = await backUp(desktop, source)
  writeFileSync(join(source, 'letters', 'landlord.txt'), 'Dear landlord,\nit is warm now. Thank you.\n')
  await backUp(desktop, source, '--tag', 'tidy')
  await untilAllHold([desktop, laptop, pi], 2)
  await desktop.run('forget', first.id)
  await pi.stop()
  return { house, desktop, laptop, pi, source }
}
