/** Orders to restore as messages have them, and what status says of them. */

import { memberNow, type OrderPatterns } from '../../protocol/index.ts'
import type { OrderCounts, Problem, RestoreOrderInfo } from '../api.ts'
import { isOver, type Order, orderAgeMsMax } from '../orders/order.ts'
import { shortId } from '../orders/records.ts'
import type { NodeParts } from '../parts.ts'
import { pathFields } from '../path-text.ts'
import { EVERY } from '../snapshots.ts'

/** As messages have it. */
export function orderInfo(parts: NodeParts, order: Order, isHere: boolean): RestoreOrderInfo {
  const { ledger } = parts
  const { id, device, root, path, progress, state, askedMs, changedMs, code, message } = order
  const known = parts.snapshots.list(EVERY).find(({ live }) => live.root === root)
  const target = isHere ? order.directory?.path : order.place
  const { files, filesTotal, bytes, bytesTotal, errors } = progress
  const time = (ms: number) => new Date(ms).toISOString()
  return {
    id,
    short_id: shortId(id),
    here: isHere,
    device,
    device_name: memberNow(ledger.membership, device)?.name ?? ledger.nameOf(device),
    snapshot_id: root,
    ...(known !== undefined && {
      snapshot_time: time(known.timeMs),
      snapshot_device_name: ledger.nameOf(known.maker),
    }),
    ...(path.length > 0 && pathFields(path)),
    patterns: countOf(order.patterns),
    name: order.name,
    ...(target !== undefined && { target }),
    state,
    asked_at: time(askedMs),
    changed_at: time(changedMs),
    ...(state === 'waiting' && { expires_at: time(askedMs + orderAgeMsMax) }),
    sent: isHere || order.isSettled,
    total_files: filesTotal,
    files_restored: files,
    total_bytes: bytesTotal,
    bytes_restored: bytes,
    percent_done: state === 'done' ? 1 : bytesTotal > 0 ? Math.min(1, bytes / bytesTotal) : 0,
    errors,
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
  }
}

function countOf({ includes, iincludes, excludes, iexcludes }: OrderPatterns): number {
  return includes.length + iincludes.length + excludes.length + iexcludes.length
}

/** How many are not over, for status. */
export function orderCounts({ orders }: NodeParts): OrderCounts {
  const taken = orders.taken.list().filter((order) => !isOver(order))
  const waiting = taken.filter(({ state }) => state === 'waiting').length
  const given = orders.given.list().filter((order) => !isOver(order)).length
  return { waiting, under_way: taken.length - waiting, given }
}

/** Those that wait for this device's person. No path: whoever is told of problems need not know names of files. */
export function orderProblems({ orders, ledger }: NodeParts): Problem[] {
  return orders.taken
    .list()
    .filter(({ state }) => state === 'waiting')
    .map(({ id, device, root }) => {
      const short = shortId(id)
      return {
        level: 'warning',
        code: 'ORDER_WAITS',
        message: `${ledger.nameOf(device)} asks to have something of snapshot ${root.slice(0, 8)} restored here`,
        remedy: `cellar restores accept ${short}, or cellar restores refuse ${short}`,
      }
    })
}
