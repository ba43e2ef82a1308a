/** `cellar restore --on`: has another device restore, and shows how that goes. */

import { CellarError, type ErrorCode, ERRORS, type RestoreOrderInfo } from '../../node/client.ts'
import { formatBytes, formatShare } from '../output/format.ts'
import { argumentText } from '../raw-args.ts'
import type { Session } from '../session.ts'
import { type FilterOptions, filterOf, patternsOf, type PatternOptions } from './command.ts'

/** What `--on` goes with. */
export interface OnOptions extends FilterOptions, PatternOptions {
  readonly on: string
  readonly as?: string
  readonly wait?: boolean
}

/** Asks, and follows the order to its end unless told otherwise. */
export async function restoreOn(session: Session, snapshot: string, options: OnOptions): Promise<undefined> {
  const shown = { state: '' }
  const order = await session.call(
    'restoreOn',
    {
      snapshot: argumentText(snapshot),
      filter: filterOf(session, options),
      device: options.on,
      ...patternsOf(options),
      ...(options.as === undefined ? {} : { name: options.as }),
      wait: options.wait !== false,
    },
    {
      onEvent: (event) => {
        session.kept = `order ${event.order.short_id} stays as it is: cellar restores, or cellar restores withdraw ${event.order.short_id}`
        if (session.json) session.print.json(event)
        else show(session, event.order, shown)
      },
    },
  )
  if (session.json) session.print.json({ message_type: 'summary', order })
  else show(session, order, shown)
  failUnlessWell(order)
  return undefined
}

/** What was restored is told as `restore` tells it; what was not is an error with its own exit status. */
function failUnlessWell(order: RestoreOrderInfo): void {
  const { state, errors, device_name: name } = order
  if (state === 'refused') {
    const why = order.message === undefined ? 'it was refused' : order.message
    throw new CellarError(codeOf(order, 'ORDER_REFUSED'), `${name} restores nothing: ${why}`)
  }
  if (state === 'expired') throw new CellarError('ORDER_EXPIRED', `nobody answered on ${name} for a day`)
  if (state === 'withdrawn') throw new CellarError('ABORTED', 'the order was taken back')
  if (state === 'failed') {
    const why = order.message === undefined ? '' : `: ${order.message}`
    throw new CellarError(
      codeOf(order, 'PEER_ERROR'),
      `${name} could not restore it (${order.code ?? ''})${why}`,
    )
  }
  if (errors > 0) {
    const what = errors === 1 ? 'one entry' : `${String(errors)} entries`
    throw new CellarError('RESTORE_INCOMPLETE', `${what} could not be restored; all else is on ${name}`)
  }
}

function codeOf({ code }: RestoreOrderInfo, otherwise: ErrorCode): ErrorCode {
  return code !== undefined && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : otherwise
}

function show(session: Session, order: RestoreOrderInfo, shown: { state: string }): void {
  const { print } = session
  if (order.state === 'running') print.progress(() => runningText(order))
  const state = `${order.state}${order.sent ? '' : ', not sent yet'}`
  if (state === shown.state) return
  shown.state = state
  const name = print.safe(order.device_name)
  if (order.state === 'waiting' && order.sent)
    print.info(
      `Order ${order.short_id} waits on ${name} for a yes: cellar restores accept ${order.short_id} (until ${order.expires_at ?? ''})`,
    )
  if (order.state === 'accepted') print.info(`${name} has accepted order ${order.short_id}.`)
  if (order.state === 'done')
    print.info(
      `Restored ${String(order.files_restored)} of ${String(order.total_files)} files and directories (${formatBytes(order.bytes_restored)} of ${formatBytes(order.total_bytes)}) on ${name}, in "${print.safe(order.target ?? '')}" below its directory for restored files`,
    )
}

function runningText(order: RestoreOrderInfo): string {
  const { percent_done: share, bytes_restored: done, total_bytes: all, files_restored: files } = order
  return `${formatShare(share)}, ${formatBytes(done)} of ${formatBytes(all)}, ${String(files)} of ${String(order.total_files)} files`
}
