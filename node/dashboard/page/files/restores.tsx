/** What is being restored, and what was within the hour, whichever page began it; and orders between devices. */

import type { BegunJob } from '../../../api.ts'
import { useDo } from '../ask.ts'
import { begun, goesOn, stop } from '../begun.ts'
import { Button } from '../parts/button.tsx'
import { Progress } from '../parts/progress.tsx'
import { Notice } from '../parts/screen.tsx'
import { useNow } from '../parts/value.tsx'
import { Store, useStore } from '../store.ts'
import { Orders } from './orders.tsx'
import { restoredSentence, restoreWords } from './words.ts'

type Restoring = Extract<BegunJob, { method: 'restore' }>

/** What is over is shown for so long, milliseconds. */
const shownMs = 3_600_000

/** Those whose end somebody has seen, and closed. */
const closed = new Store<ReadonlySet<string>>(new Set())

/** All of them, with how far they are; and orders to restore between devices. */
export function Restores() {
  const nowMs = useNow()
  const isClosed = useStore(closed)
  const shown = useStore(begun).filter(
    (job): job is Restoring =>
      job.method === 'restore' &&
      !isClosed.has(job.id) &&
      (job.ended === undefined || nowMs - Date.parse(job.ended) < shownMs),
  )
  return (
    <>
      <div aria-live="polite">
        {shown.map((job) => (
          <RestoreNotice key={job.id} job={job} />
        ))}
      </div>
      <Orders />
    </>
  )
}

function RestoreNotice({ job }: { readonly job: Restoring }) {
  const { title, status, summary, error, problems, problem_count: count } = job
  const tone = error !== undefined ? 'bad' : summary === undefined ? 'plain' : count > 0 ? 'warn' : 'good'
  const stopping = useDo(() => stop(job))
  return (
    <Notice tone={tone}>
      {goesOn(job) && (
        <>
          <p>Restoring {title}. It goes on when this page is closed.</p>
          <Progress
            label={`Restoring ${title}`}
            share={job.percent_done}
            words={status === undefined || !('total_bytes' in status) ? undefined : restoreWords(status)}
          />
        </>
      )}
      {summary !== undefined && <p>{restoredSentence(summary, count)}</p>}
      {error !== undefined && (
        <p>
          Restoring {title}:{' '}
          {error.code === 'ABORTED'
            ? 'stopped. What was restored by then is whole and stays; restore again to go on.'
            : error.message}
        </p>
      )}
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      {goesOn(job) ? (
        <Button onClick={stopping.run} busy={stopping.isBusy}>
          Stop
        </Button>
      ) : (
        <Button onClick={() => closed.set(new Set([...closed.value, job.id]))}>Close</Button>
      )}
    </Notice>
  )
}
