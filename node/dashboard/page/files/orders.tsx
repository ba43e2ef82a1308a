/** Orders to restore between devices: what waits for this person, and how those given to others stand. */

import type { RestoreOrderInfo } from '../../../api.ts'
import { call } from '../api.ts'
import { useAsk, useDo } from '../ask.ts'
import { type NewsKind, useNews } from '../news.ts'
import { Button } from '../parts/button.tsx'
import { bytesText } from '../parts/format.ts'
import { Progress } from '../parts/progress.tsx'
import { Failed, Notice } from '../parts/screen.tsx'
import { isOpen, orderSentence } from './words.ts'

/** Orders that are over are shown for so long, milliseconds. */
const shownMs = 3_600_000
const NEWS: readonly NewsKind[] = ['orders']
/** How far one is, is told every second. */
const gatherMs = 500

/** All that are not over, and what ended within the hour. */
export function Orders() {
  const { value = [], error } = useAsk('restoreOrders', {}, { news: useNews(NEWS, gatherMs) })
  const sinceMs = Date.now() - shownMs
  const shown = value.filter((order) => isOpen(order) || Date.parse(order.changed_at) > sinceMs)
  return (
    <div aria-live="polite">
      {error !== undefined && <Failed error={error} />}
      {shown.map((order) => (
        <OrderNotice key={order.id} order={order} />
      ))}
    </div>
  )
}

function OrderNotice({ order }: { readonly order: RestoreOrderInfo }) {
  const { state, here } = order
  const tone = state === 'failed' ? 'bad' : state === 'done' ? (order.errors > 0 ? 'warn' : 'good') : 'plain'
  const answer = (what: 'accept' | 'refuse' | 'withdraw') => () =>
    call('restoreAnswer', { order: order.id, answer: what })
  const accept = useDo(answer('accept'))
  const refuse = useDo(answer('refuse'))
  const withdraw = useDo(answer('withdraw'))
  return (
    <Notice tone={tone}>
      <div class="order">
        <p>{orderSentence(order)}</p>
        {state === 'running' && (
          <Progress
            label={orderSentence(order)}
            share={order.percent_done}
            words={`${bytesText(order.bytes_restored)} of ${bytesText(order.total_bytes)}`}
          />
        )}
        {isOpen(order) && (
          <div class="actions">
            {here && state === 'waiting' && (
              <>
                <Button kind="main" busy={accept.isBusy} onClick={accept.run}>
                  Accept
                </Button>
                <Button busy={refuse.isBusy} onClick={refuse.run}>
                  Refuse
                </Button>
              </>
            )}
            {!here && (
              <Button busy={withdraw.isBusy} onClick={withdraw.run}>
                Withdraw
              </Button>
            )}
          </div>
        )}
      </div>
    </Notice>
  )
}
