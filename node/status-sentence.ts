/** The one sentence with which status begins (story 21): pure, so that terminal, dashboard and tests say the same. */

import type { Problem, SnapshotCounts, Status, Waiting } from './api-mesh.ts'

/** How a person stands. */
export type Verdict = 'safe' | 'waiting' | 'alone' | 'late' | 'empty' | 'trouble'

/** The verdict, the sentence that says why, and what to do if there is something to do. */
export interface StatusSentence {
  readonly verdict: Verdict
  readonly sentence: string
  readonly todo?: string
}

/** Says in one true sentence whether all snapshots are where they should be. */
export function statusSentence(status: Status): StatusSentence {
  const counts = status.snapshots
  const lost = counts.nowhere
  if (lost > 0) {
    return {
      verdict: 'trouble',
      sentence: `${snapshots(lost)} of ${String(counts.total)} ${lost === 1 ? 'is' : 'are'} on no device that is known here.`,
      todo: 'start rootcellar on every device that may hold them, then: cellar snapshots',
    }
  }
  const broken = status.problems.find((problem) => problem.level === 'error')
  if (broken !== undefined) {
    return {
      verdict: 'trouble',
      sentence: sentenceOf(broken.message),
      ...(broken.remedy === undefined ? {} : { todo: broken.remedy }),
    }
  }
  const suspect = status.suspicions[0]
  if (suspect !== undefined) {
    return {
      verdict: 'trouble',
      sentence: sentenceOf(`the backups of ${suspect.device} look wrong: ${suspect.message}`),
      todo: `look at its snapshots; when all is well: cellar devices trust ${suspect.device}`,
    }
  }
  const late = status.problems.find((problem) => problem.code === 'BACKUP_LATE')
  if (late !== undefined) return { verdict: 'late', ...lateSentence(late, counts, status) }
  if (counts.total === 0) {
    return { verdict: 'empty', sentence: 'There is no snapshot yet.', todo: firstTodo(status) }
  }
  // A snapshot on its own device only is no finished backup, whatever goal was set.
  if (status.mesh.devices === 1) return { verdict: 'alone', sentence: hereOnly(counts), todo: todoAlone }
  if (counts.complete === counts.total) {
    return { verdict: 'safe', sentence: everywhere(counts, status) }
  }
  return {
    verdict: counts.only_on_owner > 0 ? 'alone' : 'waiting',
    sentence: notYet(counts, status),
    todo: todoOf(status),
  }
}

/** What there is may be safe; what is new is in no snapshot. */
function lateSentence(
  late: Problem,
  counts: SnapshotCounts,
  status: Status,
): Omit<StatusSentence, 'verdict'> {
  const before =
    counts.total === 0
      ? 'there is no snapshot'
      : status.mesh.devices === 1
        ? hereOnly(counts)
        : counts.complete === counts.total
          ? everywhere(counts, status)
          : notYet(counts, status)
  const rest = `${before.charAt(0).toLowerCase()}${before.slice(1)}`
  return {
    sentence: sentenceOf(`${late.message}; ${rest}`),
    ...(late.remedy === undefined ? {} : { todo: late.remedy }),
  }
}

/** Who only stores has nothing of its own to back up. */
function firstTodo({ device, running }: Status): string {
  if (device.role !== 'storer') return 'cellar backup PATH'
  const there = 'on a device that backs up: cellar backup PATH'
  return running ? `nothing here; ${there}` : `cellar start, to take what comes; ${there}`
}

const todoAlone = 'cellar invite: pair another device'

function hereOnly(counts: SnapshotCounts): string {
  const what = counts.total === 1 ? 'The one snapshot is' : `All ${snapshots(counts.total)} are`
  return `${what} on this device only, the one device of this mesh.`
}

function everywhere(counts: SnapshotCounts, status: Status): string {
  const goal = status.mesh.copies_goal
  const one = counts.total === 1
  const where =
    goal === 'all'
      ? 'on every device that stores'
      : `on at least ${String(goal)} ${goal === 1 ? 'device' : 'devices'}`
  return `${one ? 'The one snapshot is' : `All ${snapshots(counts.total)} are`} ${where}.`
}

function notYet(counts: SnapshotCounts, status: Status): string {
  const names = status.waiting.filter((one) => one.snapshots > 0).map(waitingFor)
  if (counts.total === 1) {
    const where = counts.only_on_owner === 1 ? 'on its own device only' : 'on fewer devices than wanted'
    return `The one snapshot is ${where}${names.length === 0 ? '' : `; it waits for ${listOf(names)}`}.`
  }
  const missing = counts.total - counts.complete
  const first = `${String(counts.complete)} of ${snapshots(counts.total)} ${counts.complete === 1 ? 'is' : 'are'} on as many devices as wanted`
  const alone = counts.only_on_owner
  const second =
    alone === 0
      ? ''
      : `, ${String(alone)} ${alone === 1 ? 'is' : 'are'} on ${alone === 1 ? 'its' : 'their'} own device only`
  const third =
    names.length === 0 ? '' : `; ${String(missing)} ${missing === 1 ? 'waits' : 'wait'} for ${listOf(names)}`
  return `${first}${second}${third}.`
}

function waitingFor(one: Waiting): string {
  if (one.full === true) return `${one.name} (full)`
  if (one.connected) return `${one.name} (on its way)`
  return one.last_seen === undefined ? `${one.name} (not seen yet)` : `${one.name} (away)`
}

function todoOf(status: Status): string {
  if (!status.running) return 'cellar start: a node that runs sends them by itself'
  const away = status.waiting.filter((one) => one.snapshots > 0 && !one.connected).map((one) => one.name)
  if (away.length > 0) return `start rootcellar on ${listOf(away)}; the rest goes by itself`
  const full = status.waiting.filter((one) => one.full === true).map((one) => one.name)
  if (full.length > 0) return `free space on ${listOf(full)}, raise a quota, or add a device`
  return 'nothing: it goes on by itself'
}

function listOf(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

function snapshots(count: number): string {
  return `${String(count)} ${count === 1 ? 'snapshot' : 'snapshots'}`
}

function sentenceOf(message: string): string {
  const text = `${message.charAt(0).toUpperCase()}${message.slice(1)}`
  return text.endsWith('.') ? text : `${text}.`
}
