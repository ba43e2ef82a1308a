/** Which snapshots are listed: what stands in the address, and what is asked for. Pure. */

import type { SnapshotFilter } from '../../../api.ts'

/** As typed; empty says nothing. */
export interface Filter {
  readonly device: string
  readonly path: string
  /** Separated by commas: all of them. */
  readonly tags: string
}

/** What the address says. */
export function filterOfQuery({
  device = '',
  path = '',
  tags = '',
}: Readonly<Record<string, string>>): Filter {
  return { device, path, tags }
}

/** For the address. */
export function queryOfFilter(filter: Filter): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(filter).map(([key, text]: [string, string]) => [key, text === '' ? undefined : text]),
  )
}

/** For the node. */
export function askedFilter({ device, path, tags }: Filter): SnapshotFilter {
  const list = tags
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  return {
    devices: device === '' ? [] : [device],
    paths: path.trim() === '' ? [] : [path.trim()],
    tags: list.length === 0 ? [] : [list],
  }
}
