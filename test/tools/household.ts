/** Several devices as real processes, what they are asked while they run, and the end of all of them. */

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type BackupSummary,
  type CheckSummary,
  connectNode,
  findHome,
  type Invited,
  type InviteEvent,
  type RestoreSummary,
  type SnapshotInfo,
  type Status,
} from '../../node/client.ts'
import {
  CommandFailed,
  Device,
  type DeviceOptions,
  finish,
  type Finished,
  firstMessage,
  jsonLines,
  type JsonLine,
} from './cellar.ts'
import { compareTrees, describeDifferences } from './compare-trees.ts'

/** What happens within seconds on an idle machine is given so long on a busy one, milliseconds. */
const patienceMs = 100_000
const pollMs = 50
/** Of what a device has printed, characters shown when something did not come in time. */
const logShown = 3000

/** Devices below one temporary directory, which goes with them. */
export class Household implements AsyncDisposable {
  readonly base = mkdtempSync(join(tmpdir(), 'cellar-story-'))
  readonly #devices: Device[] = []
  readonly #onExit = () => {
    this.#remove()
  }

  constructor() {
    process.once('exit', this.#onExit)
  }

  /**
   * A new device; not yet one of any mesh. Unless told otherwise it listens on a loopback address of its own, at the
   * same port after each start: others can find it again where it was, as in a household.
   */
  device(name: string, options: Partial<Omit<DeviceOptions, 'name'>> = {}): Device {
    const device = new Device({ home: this.path(name), name, listen: loopbackPlace(), ...options })
    this.#devices.push(device)
    return device
  }

  /** A path of its own for files. */
  path(name: string): string {
    return join(this.base, name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.killAll()))
    process.off('exit', this.#onExit)
    this.#remove()
  }

  #remove(): void {
    rmSync(this.base, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** All of 127.0.0.0/8 is loopback on Linux: nobody else listens at an address drawn from it. */
export function loopbackPlace(): string {
  if (process.platform !== 'linux') return '127.0.0.1:0'
  return `127.${String(randomInt(1, 255))}.${String(randomInt(0, 255))}.${String(randomInt(1, 255))}:4517`
}

/**
 * Asks again and again until there is an answer.
 *
 * @param what - for the message when there is none in time
 */
export async function until<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  ms = patienceMs,
): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`)
    await pause(pollMs)
  }
}

/** What the running node of a device says of itself; undefined when none runs. */
export async function statusOf(device: Device): Promise<Status | undefined> {
  const home = await findHome(device.home, process.env)
  const handle = await connectNode(home.socket)
  return await handle?.call(
    'status',
    {},
    { signal: AbortSignal.timeout(patienceMs), onEvent: () => undefined },
  )
}

/** Waits until the running node of a device says something of itself. */
export async function untilStatus(
  device: Device,
  what: string,
  isSo: (status: Status) => boolean,
): Promise<Status> {
  let last: Status | undefined
  try {
    return await until(`${device.name}: ${what}`, async () => {
      last = await statusOf(device).catch(() => undefined) // it may be just starting, or ending
      return last !== undefined && isSo(last) ? last : undefined
    })
  } catch (error) {
    throw new Error(
      `${(error as Error).message}; last status ${JSON.stringify(last)}\n${device.log.slice(-logShown)}`,
      { cause: error },
    )
  }
}

/** Says whether one device sees another connected. */
export function sees(status: Status, name: string): boolean {
  return status.devices.some((one) => one.name === name && one.connected)
}

/** Waits until two running devices are linked. */
export async function untilLinked(one: Device, other: Device): Promise<void> {
  await untilStatus(one, `linked with ${other.name}`, (status) => sees(status, other.name))
}

/** Waits until all these devices hold all live snapshots, so many of them, and say so. */
export async function untilAllHold(devices: readonly Device[], snapshots: number): Promise<void> {
  const isSo = ({ snapshots: { total, complete } }: Status) => total === snapshots && complete === snapshots
  const what = `all ${String(snapshots)} snapshots on all devices`
  for (const device of devices) {
    await untilStatus(device, what, isSo).catch((error: unknown) => {
      const others = devices.filter((other) => other !== device)
      const logs = others.map(({ name, log }) => `${name}:\n${log.slice(-logShown)}`)
      throw new Error([(error as Error).message, ...logs].join('\n'), { cause: error })
    })
  }
}

/** An invitation that waits for its device. */
export interface OpenInvitation {
  readonly code: string
  readonly event: Extract<InviteEvent, { message_type: 'invitation' }>
  readonly ended: Promise<Finished>
  /** Closes it as Ctrl-C does. */
  close(): Promise<void>
}

/** Shows a code on a device and goes on. */
export async function openInvitation(device: Device, ...flags: string[]): Promise<OpenInvitation> {
  const child = device.spawn(['--json', 'invite', ...flags])
  const ended = finish(child)
  const event = (await firstMessage(child, ended, 'invitation')) as unknown as OpenInvitation['event']
  const close = async () => {
    child.kill('SIGINT')
    await ended
  }
  return { code: event.code, event, ended, close }
}

/** What the inviter was told in the end. @throws {CommandFailed} */
export async function admittedBy(invitation: OpenInvitation): Promise<Invited> {
  const finished = await invitation.ended
  if (finished.status !== 0) throw new CommandFailed(['invite'], finished)
  return jsonLines(finished.stdout).at(-1) as unknown as Invited
}

/** Where a running device can be called. */
export function placeOf(device: Device): string {
  const [at] = device.addresses
  assert.ok(at !== undefined, `${device.name} does not listen`)
  return at
}

/** A backup as it ended. */
export interface BackedUp extends Finished {
  readonly summary: BackupSummary
  /** Of the snapshot; empty when there is none. */
  readonly id: string
}

/** Backs up whatever the exit status. */
export async function tryBackup(device: Device, path: string, ...flags: string[]): Promise<BackedUp> {
  const finished = await device.try('--json', 'backup', path, ...flags)
  const summary = lastMessage(finished.stdout, 'summary') as BackupSummary | undefined
  if (summary === undefined) throw new CommandFailed(['backup', path, ...flags], finished)
  return { ...finished, summary, id: summary.snapshot_id ?? '' }
}

/** Backs up and must succeed. @throws {CommandFailed} */
export async function backUp(device: Device, path: string, ...flags: string[]): Promise<BackedUp> {
  const done = await tryBackup(device, path, ...flags)
  if (done.status !== 0) throw new CommandFailed(['backup', path, ...flags], done)
  return done
}

function lastMessage(text: string, type: string): unknown {
  return jsonLines(text).findLast((line) => line['message_type'] === type)
}

/** Restores a path of a snapshot and compares it with what it was made from, metadata too. @throws {CommandFailed} */
export async function restoreSame(
  device: Device,
  snapshot: string,
  source: string,
  target: string,
  ...flags: string[]
): Promise<RestoreSummary> {
  const summary = await device.json<RestoreSummary>('restore', snapshot, '--target', target, ...flags)
  assertSame(source, join(target, source))
  return summary
}

/** Fails with what differs, unless both trees are the same in every byte and all metadata. */
export function assertSame(source: string, restored: string): void {
  const differences = compareTrees(source, restored, { roots: true })
  assert.equal(differences.length, 0, `not the same:\n${describeDifferences(differences)}`)
}

/** Reads every byte a device holds; it must be right. @throws {CommandFailed} */
export async function checkAll(device: Device): Promise<CheckSummary> {
  const finished = await device.try('--json', 'check', '--read-data')
  if (finished.status !== 0) throw new CommandFailed(['check', '--read-data'], finished)
  const summary = lastMessage(finished.stdout, 'summary') as CheckSummary | undefined
  assert.equal(summary?.num_errors, 0)
  return summary
}

/** The snapshots a device knows, oldest first. */
export async function snapshotsOf(device: Device): Promise<readonly SnapshotInfo[]> {
  return await device.json<SnapshotInfo[]>('snapshots')
}

/** The last line on standard error of a command with `--json` that failed. */
export function exitError(finished: Finished): JsonLine {
  const line = jsonLines(finished.stderr).at(-1)
  assert.equal(line?.['message_type'], 'exit_error', finished.stderr)
  return line
}

/** The error code of a command with `--json` that must have failed with an exit status. */
export function failedWith(finished: Finished, status: number): string {
  assert.equal(finished.status, status, `${finished.stdout}\n${finished.stderr}`)
  return String(exitError(finished)['error_code'])
}
