/** One kind of look at what is stored: what it is, when it was, what came of it, and doing it now. */

import type { ComponentChildren } from 'preact'
import type { JobBeginParams } from '../../../api.ts'
import { useDo } from '../ask.ts'
import { begin, begun, goesOn, stop } from '../begun.ts'
import { useLive } from '../live.ts'
import { Button } from '../parts/button.tsx'
import { Progress } from '../parts/progress.tsx'
import { Ago } from '../parts/value.tsx'
import { useStore } from '../store.ts'

/** What can be set going. */
const STARTS = {
  scrub: { scrub: { percent: 100 } },
  drill: { drill: {} },
  check: { check: { readData: false, repair: false, snapshots: [] } },
} as const satisfies Readonly<Record<string, Omit<JobBeginParams, 'title'>>>

/** What a button sets going, and what it says. */
export interface LookRun {
  readonly name: keyof typeof STARTS
  readonly deed: string
  readonly disabled?: boolean
}

/** What a look takes. */
export interface LookProps {
  readonly title: string
  /** What it does, for who has never heard of it. */
  readonly about: string
  readonly last?: string | undefined
  /** What came of it. */
  readonly children: ComponentChildren
  /** None where only the schedule does it. */
  readonly run?: LookRun
}

/** A card. */
export function Look({ title, about, last, children, run }: LookProps) {
  return (
    <article class="look">
      <h3>{title}</h3>
      <p class="hint">{about}</p>
      <p>Last: {last === undefined ? 'not yet' : <Ago time={last} />}</p>
      {children}
      {run !== undefined && <LookNow title={title} run={run} />}
    </article>
  )
}

/** The button, or how far it is: also when another page, the schedule or a command began it. */
function LookNow({ title, run }: { readonly title: string; readonly run: LookRun }) {
  const { status } = useLive()
  const mine = useStore(begun).find((job) => job.method === run.name && goesOn(job))
  const now = mine ?? status?.jobs.find(({ method }) => method === run.name)
  const beginning = useDo(() => begin({ title: '', ...STARTS[run.name] }))
  const stopping = useDo(async () => {
    if (now !== undefined) await stop(now)
  })
  return (
    <div class="look-run">
      {now === undefined ? (
        <Button disabled={run.disabled ?? false} busy={beginning.isBusy} onClick={beginning.run}>
          {run.deed}
        </Button>
      ) : (
        <>
          <Progress label={title} share={now.percent_done} />
          <Button onClick={stopping.run} busy={stopping.isBusy} label={`Stop: ${run.deed}`}>
            Stop
          </Button>
        </>
      )}
    </div>
  )
}
