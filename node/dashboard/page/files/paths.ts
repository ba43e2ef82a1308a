/**
 * Paths of snapshots on the page. File names are bytes, and an address is text: inside, a path is a text of one
 * character for each byte (`RawPath`), so that every name can be opened, also one that is not UTF-8. Pure.
 */

import type { NodeInfo, PathFields, PathText } from '../../../api.ts'

/** One character 0..255 for each byte. */
export type RawPath = string & { readonly __raw: true }

/** The top of a snapshot. */
export const TOP = '/' as RawPath

/** What travelled as text, or as base64. */
export function rawOf(path: PathText): RawPath {
  if (typeof path !== 'string') return atob(path.b64) as RawPath
  return Array.from(new TextEncoder().encode(path), (byte) => String.fromCharCode(byte)).join('') as RawPath
}

/** The path that a message names. */
export function rawOfFields({ path, path_b64: b64 }: PathFields | NodeInfo): RawPath {
  return rawOf(b64 === undefined ? path : { b64 })
}

/** How a path travels to the node. */
export function pathText(raw: string): PathText {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOf(raw))
  } catch {
    return { b64: btoa(raw) } // not UTF-8: the bytes themselves
  }
}

/** Something to read: what is not UTF-8 shows as U+FFFD. */
export function shown(raw: string): string {
  return new TextDecoder().decode(bytesOf(raw))
}

function bytesOf(raw: string): Uint8Array {
  return Uint8Array.from(raw, (char) => char.charCodeAt(0))
}

/** The fields of an address that name a path. */
export function pathQuery(raw: RawPath): { readonly path?: string; readonly path64?: string } {
  const text = pathText(raw)
  return typeof text === 'string' ? { path: text } : { path64: text.b64 }
}

/** The path that an address names; the top when it names none, or what is none. */
export function pathOfQuery(query: Readonly<Record<string, string>>): RawPath {
  const { path, path64 } = query
  try {
    if (path64 !== undefined) return clean(atob(path64))
  } catch {
    return TOP // somebody typed it
  }
  return path === undefined ? TOP : clean(rawOf(path))
}

function clean(raw: string): RawPath {
  const names = raw.split('/').filter((name) => name !== '' && name !== '.')
  return `/${names.join('/')}` as RawPath
}

/** The directory a path is in; of the top, the top. */
export function parentOf(raw: RawPath): RawPath {
  return clean(raw.slice(0, raw.lastIndexOf('/')))
}

/** The last name of a path, raw; empty of the top. */
export function nameOf(raw: RawPath): string {
  return raw.slice(raw.lastIndexOf('/') + 1)
}

/** A step of the way to a path. */
export interface Crumb {
  readonly name: string
  readonly path: RawPath
}

/** The directories above a path and the path itself, without the top. */
export function crumbsOf(raw: RawPath): readonly Crumb[] {
  const names = raw.split('/').filter((name) => name !== '')
  return names.map((name, at) => ({
    name: shown(name),
    path: `/${names.slice(0, at + 1).join('/')}` as RawPath,
  }))
}

/** Where a snapshot is looked at first: the directory that was backed up, or the one above several. */
export function startOf(paths: readonly RawPath[]): RawPath {
  const [first = TOP, ...rest] = paths.map((path) => clean(path))
  if (rest.length === 0) return first
  const all = [first, ...rest].map((path) => path.split('/'))
  const names = first.split('/')
  const same = names.findIndex((name, at) => all.some((other) => other[at] !== name))
  return clean((same < 0 ? names : names.slice(0, same)).join('/'))
}

/** A pattern that only what has this path's name matches, directly below its directory. */
export function patternOf(raw: RawPath): PathText {
  return pathText(`/${nameOf(raw).replace(/[\\*?[\]]/g, (char) => `\\${char}`)}`)
}

/** One snapshot and a path in it, as methods take them together. */
export function choiceOf(snapshot: string, raw: RawPath): PathText {
  return pathText(`${snapshot}:${raw}`)
}
