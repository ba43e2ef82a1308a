/** What a person chose in the dialog, as parameters of `restore`. Pure. */

import type { DeviceInfo, Overwrite, RestoreOnParams, RestoreParams } from '../../../api.ts'
import { choiceOf, nameOf, parentOf, patternOf, pathText, TOP, type RawPath } from './paths.ts'

/** What is restored: a file or directory of a snapshot; the top is all of it. */
export interface Restorable {
  readonly snapshot: string
  readonly path: RawPath
}

/** Where to, and what becomes of what is there. */
export interface RestoreChoice {
  readonly place: 'new' | 'original' | 'device'
  /** A directory, absolute; for `new`. */
  readonly target: string
  readonly overwrite: Overwrite
  readonly verify: boolean
  /** Id of another device; for `device`, which chooses the directory itself. */
  readonly device: string
}

/**
 * The parameters. What is restored comes to lie in the target under its own name, and nothing beside it is touched.
 */
export function restoreParams({ snapshot, path }: Restorable, choice: RestoreChoice): RestoreParams {
  const parent = parentOf(path)
  const isAll = path === TOP
  return {
    snapshot: isAll ? snapshot : choiceOf(snapshot, parent),
    filter: { devices: [], paths: [], tags: [] },
    target: choice.place === 'original' ? pathText(parent) : choice.target,
    includes: isAll ? [] : [patternOf(path)],
    iincludes: [],
    excludes: [],
    iexcludes: [],
    overwrite: choice.overwrite,
    delete: false,
    dryRun: false,
    verify: choice.verify,
    verbose: false,
  }
}

/** The order to another device, for the same. */
export function orderParams({ snapshot, path }: Restorable, device: string): RestoreOnParams {
  const isAll = path === TOP
  return {
    device,
    snapshot: isAll ? snapshot : choiceOf(snapshot, parentOf(path)),
    filter: { devices: [], paths: [], tags: [] },
    includes: isAll ? [] : [patternOf(path)],
    iincludes: [],
    excludes: [],
    iexcludes: [],
    ...(!isAll && { name: nameForFile(path, false) }),
    wait: false,
  }
}

/** Devices that could restore for this one: all others that read, where this one may ask. */
export function restorers(devices: readonly DeviceInfo[]): readonly DeviceInfo[] {
  if (!devices.some(({ self, capabilities }) => self && capabilities.includes('admit'))) return []
  return devices.filter(
    ({ self, removed, capabilities }) => !self && removed !== true && capabilities.includes('read'),
  )
}

/** Why a target does not do; undefined when it does. */
export function targetFault(target: string): string | undefined {
  if (target.trim() === '') return 'Say where to: the path of a directory.'
  if (!target.startsWith('/')) return 'The path must begin with “/”.'
  return undefined
}

/** A directory that is not there yet, in the home of who runs the node. @param storePath - of this device's store */
export function freshTarget(storePath: string, nowMs: number): string {
  const home = /^(\/home\/[^/]+|\/Users\/[^/]+|\/root)(?=\/)/.exec(storePath)?.[1]
  if (home === undefined) return ''
  const now = new Date(nowMs)
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = `${String(now.getFullYear())}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
  return `${home}/Restored/${day} ${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}`
}

/** The name of what is restored, or downloaded. */
export function nameForFile(path: RawPath, isDirectory: boolean): string {
  const name = new TextDecoder().decode(Uint8Array.from(nameOf(path), (char) => char.charCodeAt(0)))
  const base = name === '' ? 'snapshot' : name
  return isDirectory ? `${base}.tar` : base
}
