/** What tests of deletion ask of real devices: settings, the trash, and what is reclaimed. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Forgotten, PruneResult, SnapshotsChanged, TrashEntry } from '../../node/client.ts'
import { CommandFailed, type Device, jsonLines } from './cellar.ts'
import { snapshotsOf, statusOf, until } from './household.ts'

/** Settings with which a device waits for nothing but the rules: no hold window, no floors. */
export const AT_ONCE = 'hold_window = "0s"\nfloor_age = "0s"\nfloor_newest = 0\n'

/** Changes settings of a device that does not run; those not named stay. A table goes last. */
export function setSettings(device: Device, text: string): void {
  const path = join(device.home, 'config.toml')
  const named = new Set(text.split('\n').map(keyOf))
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => keyOf(line) === undefined || !named.has(keyOf(line)))
  writeFileSync(path, `${kept.join('\n')}\n${text}`, { mode: 0o600 })
}

function keyOf(line: string): string | undefined {
  return /^([a-z_]+)\s*=/.exec(line)?.[1]
}

/** Forgets and must succeed. @throws {CommandFailed} */
export async function forget(device: Device, ...args: string[]): Promise<Forgotten> {
  return await device.json<Forgotten>('forget', ...args)
}

/** What is in the trash of a device. */
export async function trashOf(device: Device): Promise<readonly TrashEntry[]> {
  return await device.json<TrashEntry[]>('trash')
}

/** Reclaims what may go. */
export async function prune(device: Device, ...flags: string[]): Promise<PruneResult> {
  const finished = await device.try('--json', 'prune', ...flags)
  const result = jsonLines(finished.stdout).findLast((line) => line['message_type'] === 'pruned')
  if (finished.status !== 0 || result === undefined) throw new CommandFailed(['prune', ...flags], finished)
  return result as unknown as PruneResult
}

/** Brings snapshots back. */
export async function undelete(device: Device, ...ids: string[]): Promise<SnapshotsChanged> {
  return await device.json<SnapshotsChanged>('undelete', ...ids)
}

/** Waits until a running device lists just these snapshots. */
export async function untilListed(device: Device, ids: readonly string[]): Promise<void> {
  const wanted = [...ids].sort().join(' ')
  await until(`${device.name} lists ${wanted}`, async () => {
    const listed = (await snapshotsOf(device)).map(({ id }) => id)
    return listed.sort().join(' ') === wanted ? true : undefined
  })
}

/** Bytes of the store of a running device. */
export async function bytesUsed(device: Device): Promise<number> {
  return (await statusOf(device))?.store.bytes_used ?? Number.NaN
}

/** Waits until the store of a running device takes no more than so many bytes; reclaiming is asked for meanwhile. */
export async function untilSmaller(device: Device, bytesMax: number): Promise<void> {
  await until(`the store of ${device.name} takes no more than ${String(bytesMax)} bytes`, async () => {
    await prune(device)
    return (await bytesUsed(device)) <= bytesMax ? true : undefined
  })
}
