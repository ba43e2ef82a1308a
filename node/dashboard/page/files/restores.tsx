/** What this page restores: it goes on while other screens are looked at, and ends with the page. */

import type { RestoreParams, RestoreSummary } from '../../../api.ts'
import { isAborted, stream } from '../api.ts'
import { refresh } from '../live.ts'
import { Button } from '../parts/button.tsx'
import { Progress } from '../parts/progress.tsx'
import { Notice } from '../parts/screen.tsx'
import { Store, useStore } from '../store.ts'
import { Orders } from './orders.tsx'
import { restoredSentence, restoreWords } from './words.ts'

interface Restoring {
  readonly id: number
  readonly name: string
  readonly target: string
  readonly end: AbortController
  /** 0..1 */
  readonly share?: number
  readonly words?: string
  /** Of entries that could not be restored; the first. */
  readonly problems: readonly string[]
  readonly summary?: RestoreSummary
  readonly error?: Error
}

const problemsShown = 20

const restores = new Store<readonly Restoring[]>([])
let lastId = 0

function change(id: number, more: Partial<Restoring>): void {
  restores.set(restores.value.map((one) => (one.id === id ? { ...one, ...more } : one)))
}

/** Begins to restore. @param name - what, for people; @param target - where to, for people */
export function beginRestore(params: RestoreParams, name: string, target: string): void {
  lastId += 1
  const id = lastId
  const end = new AbortController()
  let problems: readonly string[] = []
  restores.set([...restores.value, { id, name, target, end, problems }])
  stream(
    'restore',
    params,
    (event) => {
      if (event.message_type === 'status')
        change(id, { share: event.percent_done, words: restoreWords(event) })
      else if (event.message_type === 'error' && problems.length < problemsShown) {
        problems = [...problems, `${event.item}: ${event.error.message}`]
        change(id, { problems })
      }
    },
    { signal: end.signal },
  )
    .then(
      (summary) => change(id, { summary }),
      (error: unknown) => {
        const stopped = new Error(
          'Stopped. What was restored by then is whole and stays; restore again to go on.',
        )
        change(id, { error: isAborted(error) ? stopped : (error as Error) })
      },
    )
    .finally(() => void refresh())
}

function close(id: number): void {
  restores.set(restores.value.filter((one) => one.id !== id))
}

/** All of them, with how far they are; and orders to restore between devices. */
export function Restores() {
  const all = useStore(restores)
  return (
    <>
      <div aria-live="polite">
        {all.map((one) => (
          <RestoreNotice key={one.id} restoring={one} />
        ))}
      </div>
      <Orders />
    </>
  )
}

function RestoreNotice({ restoring }: { readonly restoring: Restoring }) {
  const { id, name, target, share, words, summary, error, problems, end } = restoring
  const isOver = summary !== undefined || error !== undefined
  const tone =
    error !== undefined ? 'bad' : summary === undefined ? 'plain' : problems.length > 0 ? 'warn' : 'good'
  return (
    <Notice tone={tone}>
      {!isOver && (
        <>
          <p>
            Restoring {name} to {target}. Keep this page open until it is done.
          </p>
          <Progress label={`Restoring ${name}`} share={share} words={words} />
        </>
      )}
      {summary !== undefined && <p>{restoredSentence(summary)}</p>}
      {error !== undefined && (
        <p>
          Restoring {name}: {error.message}
        </p>
      )}
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      {isOver ? (
        <Button onClick={() => close(id)}>Close</Button>
      ) : (
        <Button onClick={() => end.abort()}>Stop</Button>
      )}
    </Notice>
  )
}
