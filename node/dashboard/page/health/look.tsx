/** One kind of look at what is stored: what it is, when it was, what came of it, and doing it now. */

import type { ComponentChildren } from 'preact'
import { Button } from '../parts/button.tsx'
import { Progress } from '../parts/progress.tsx'
import { Ago } from '../parts/value.tsx'
import { useStore } from '../store.ts'
import { begin, type RunName, runs } from './runs.ts'

/** What a look takes. */
export interface LookProps {
  readonly title: string
  /** What it does, for who has never heard of it. */
  readonly about: string
  readonly last?: string | undefined
  /** What came of it. */
  readonly children: ComponentChildren
  /** What a button sets going, and what it says; none where only the schedule does it. */
  readonly run?: { readonly name: RunName; readonly deed: string; readonly disabled?: boolean }
}

/** A card. */
export function Look({ title, about, last, children, run }: LookProps) {
  const running = useStore(runs)
  const now = run === undefined ? undefined : running[run.name]
  return (
    <article class="look">
      <h3>{title}</h3>
      <p class="hint">{about}</p>
      <p>Last: {last === undefined ? 'not yet' : <Ago time={last} />}</p>
      {children}
      {run !== undefined && (
        <div class="look-run">
          {now === undefined ? (
            <Button disabled={run.disabled ?? false} onClick={() => void begin(run.name)}>
              {run.deed}
            </Button>
          ) : (
            <>
              <Progress label={title} share={now.share} />
              <Button onClick={now.cancel} label={`Stop: ${run.deed}`}>
                Stop
              </Button>
            </>
          )}
        </div>
      )}
    </article>
  )
}
