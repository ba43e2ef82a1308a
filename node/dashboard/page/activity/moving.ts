/** Bytes that move, as a rate over the last seconds. Pure: it is told the time. */

import type { WatchEvent } from '../../../api.ts'

/** Over so long a rate is taken, milliseconds; what has not moved for so long is at rest. */
export const overMs = 5000

interface Moved {
  readonly name: string
  readonly parts: { readonly atMs: number; readonly sent: number; readonly received: number }[]
}

interface Fetched {
  readonly bytes: number
  readonly open: number
  readonly atMs: number
}

/** Takes news, and says what moves. */
export class Moving {
  readonly #traffic = new Map<string, Moved>()
  readonly #fetching = new Map<string, Fetched>()

  /** Takes one; others than these say nothing here. */
  take(event: WatchEvent, atMs: number): void {
    if (event.message_type === 'traffic') {
      const { device, name, sent, received } = event
      const moved = this.#traffic.get(device) ?? { name, parts: [] }
      moved.parts.push({ atMs, sent, received })
      this.#traffic.set(device, moved)
    } else if (event.message_type === 'fetching') {
      const { snapshot_id, bytes, open } = event
      this.#fetching.set(snapshot_id, { bytes, open, atMs })
    } else if (event.message_type === 'held') this.#fetching.delete(event.snapshot_id)
  }

  /** What moves now; what does not is forgotten. */
  at(nowMs: number) {
    const fresh = ({ atMs }: { readonly atMs: number }): boolean => nowMs - atMs < overMs
    const traffic = [...this.#traffic].flatMap(([device, { name, parts }]) => {
      const now = parts.filter(fresh)
      if (now.length === 0) this.#traffic.delete(device)
      else this.#traffic.set(device, { name, parts: now })
      const rate = (of: 'sent' | 'received'): number =>
        Math.round(now.reduce((sum, part) => sum + part[of], 0) / (overMs / 1000))
      return now.length === 0 ? [] : [{ device, name, sent: rate('sent'), received: rate('received') }]
    })
    const fetching = [...this.#fetching].flatMap(([id, fetched]) => {
      if (!fresh(fetched)) this.#fetching.delete(id)
      return fresh(fetched) ? [{ id, bytes: fetched.bytes, open: fetched.open }] : []
    })
    return { traffic, fetching }
  }
}
