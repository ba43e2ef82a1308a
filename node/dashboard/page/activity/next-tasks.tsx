/** What this device does by itself, and when it is next. */

import type { ScheduledTask } from '../../../api.ts'
import { useDo } from '../ask.ts'
import { beginBackup, useBackup } from '../home/back-up.tsx'
import { Button } from '../parts/button.tsx'
import { Badge, Empty, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Ago } from '../parts/value.tsx'
import { endText, isOn, nameText, titleText } from './words.ts'

/** The schedule: what runs first stands first. */
export function NextTasks({ tasks }: { readonly tasks: readonly ScheduledTask[] }) {
  const on = tasks
    .filter(isOn)
    .sort((one, other) => (one.next_run ?? '~').localeCompare(other.next_run ?? '~'))
  return (
    <Section title="By itself" hint="What the settings have this device do, and when.">
      {on.length === 0 ? (
        <Empty>Nothing is scheduled.</Empty>
      ) : (
        <Table
          caption="Tasks of the schedule"
          columns={COLUMNS}
          rows={on}
          keyOf={({ name, profile }) => `${name}/${profile ?? ''}`}
        />
      )}
    </Section>
  )
}

const COLUMNS = [
  { title: 'Task', kind: 'main', cell: ({ name, profile }: ScheduledTask) => titleText(name, profile) },
  {
    title: 'Next',
    cell: ({ running, waits, next_run }: ScheduledTask) => {
      if (running) return <Badge tone="good">under way</Badge>
      if (waits !== undefined)
        return (
          <Badge tone="warn">{waits === 'battery' ? 'waits for power' : 'waits for a free network'}</Badge>
        )
      return next_run === undefined ? '–' : <Ago time={next_run} />
    },
  },
  { title: 'Set to', cell: ({ due }: ScheduledTask) => <span class="number">{due}</span> },
  {
    title: 'Last',
    cell: ({ last_run, last_outcome, message }: ScheduledTask) => {
      if (last_run === undefined) return 'not yet'
      const end = last_outcome === undefined ? undefined : endText(last_outcome)
      return (
        <>
          <Ago time={last_run} /> {end !== undefined && <Badge tone={end.tone}>{end.words}</Badge>}
          {message !== undefined && <div class="hint">{message}</div>}
        </>
      )
    },
  },
  { title: 'Run', kind: 'actions', cell: (task: ScheduledTask) => <RunNow task={task} /> },
] as const

function RunNow({ task: { name, profile, running } }: { readonly task: ScheduledTask }) {
  if (name !== 'backup' || profile === undefined) return null
  return <BackUp profile={profile} running={running} />
}

function BackUp({ profile, running }: { readonly profile: string; readonly running: boolean }) {
  const isUnderWay = useBackup(profile) !== undefined || running
  const { isBusy, run } = useDo(() => beginBackup(profile))
  return (
    <Button onClick={run} busy={isBusy || isUnderWay} label={`Run the ${nameText('backup', profile)} now`}>
      Back up now
    </Button>
  )
}
