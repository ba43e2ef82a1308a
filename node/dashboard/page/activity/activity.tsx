/** What goes on, what is next, and what went on (spec/activity.md). */

import { useState } from 'preact/hooks'
import type { Job } from '../../../api.ts'
import { call } from '../api.ts'
import { useDo } from '../ask.ts'
import { useLive } from '../live.ts'
import { Button } from '../parts/button.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { bytesText, countText } from '../parts/format.ts'
import { Progress } from '../parts/progress.tsx'
import { Empty, Screen, Section } from '../parts/screen.tsx'
import { useNow } from '../parts/value.tsx'
import type { Place } from '../router.ts'
import { HistoryList } from './history-list.tsx'
import { type UnderWay, useUnderWay } from './live-jobs.ts'
import { NextTasks } from './next-tasks.tsx'
import { activitySentence, jobText, nameText, titleText } from './words.ts'

/** The screen at `#/activity`. */
export function ActivityScreen({ place }: { readonly place: Place }) {
  const { status } = useLive()
  const now = useUnderWay()
  const jobs = now.jobs ?? status?.jobs
  return (
    <Screen
      title="Activity"
      sentence={
        jobs === undefined ? undefined : activitySentence(jobs, now.traffic.length + now.fetching.length > 0)
      }
    >
      {jobs !== undefined && <Jobs jobs={jobs} now={now} />}
      {status !== undefined && <NextTasks tasks={status.schedule} />}
      <HistoryList place={place} />
    </Screen>
  )
}

function Jobs({ jobs, now }: { readonly jobs: readonly Job[]; readonly now: UnderWay }) {
  const { traffic, fetching } = now
  return (
    <Section title="Under way">
      {jobs.length + traffic.length + fetching.length === 0 && (
        <Empty>Nothing. What this device does by itself is below.</Empty>
      )}
      <ul class="jobs">
        {jobs.map((job) => (
          <JobLine key={job.id} job={job} />
        ))}
        {fetching.map(({ id, bytes, open }) => (
          <li key={id} class="job">
            <p class="job-name">Fetching snapshot {id.slice(0, 8)}</p>
            <p class="hint number">
              {bytesText(bytes)}, {countText(open, 'chunk')} to come
            </p>
          </li>
        ))}
        {traffic.map(({ device, name, sent, received }) => (
          <li key={device} class="job">
            <p class="job-name">{name}</p>
            <p class="hint number">
              {[
                sent > 0 ? `${bytesText(sent)}/s to it` : '',
                received > 0 ? `${bytesText(received)}/s from it` : '',
              ]
                .filter((words) => words !== '')
                .join(', ')}
            </p>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function JobLine({ job }: { readonly job: Job }) {
  const nowMs = useNow()
  const title = titleText(job.method, job.title)
  return (
    <li class="job">
      <p class="job-name">{title}</p>
      <Progress label={title} share={job.percent_done} words={jobText(job, nowMs)} />
      <Cancel job={job} />
    </li>
  )
}

function Cancel({ job }: { readonly job: Job }) {
  const [isOpen, setOpen] = useState(false)
  const name = nameText(job.method)
  const { isBusy, run } = useDo(async () => {
    const { method } = await call('jobCancel', { id: job.id })
    setOpen(false)
    return method === undefined ? `The ${name} had ended already.` : `The ${name} is being cancelled.`
  })
  return (
    <>
      <Button onClick={() => setOpen(true)} label={`Cancel the ${name}`}>
        Cancel…
      </Button>
      {isOpen && (
        <Confirm
          title={`Cancel the ${name}?`}
          deed="Cancel it"
          kind="danger"
          busy={isBusy}
          onConfirm={run}
          onClose={() => setOpen(false)}
        >
          <p>{CONSEQUENCES[job.method] ?? 'What it has done so far stays done.'}</p>
          <p>What the schedule does comes again at its next time.</p>
        </Confirm>
      )}
    </>
  )
}

const CONSEQUENCES: Readonly<Record<string, string>> = {
  backup: 'There will be no snapshot of it. What was stored so far is not stored again by the next backup.',
  restore: 'Files that were restored so far stay where they are; the others are missing.',
  scrub: 'What was read stays read: the next scrub goes on from there.',
}
