/** Says so when the node does not answer: what is shown below is then of the past. */

import { refresh, useLive } from '../live.ts'
import { Notice } from '../parts/screen.tsx'
import { Button } from '../parts/button.tsx'

/** A line above the screen; nothing while all is well. */
export function LinkState() {
  const { link, status } = useLive()
  return (
    <div class="link-state" aria-live="assertive">
      {link === 'gone' && (
        <Notice tone="bad">
          <p>
            The node of {status === undefined ? 'this device' : status.device.name} does not answer.{' '}
            {status !== undefined && 'What you see below is what it said last. '}
            Start it with <code>cellar start</code>; this page goes on by itself.
          </p>
          <Button onClick={() => void refresh()}>Try now</Button>
        </Notice>
      )}
    </div>
  )
}
