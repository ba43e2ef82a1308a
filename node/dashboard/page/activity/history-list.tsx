/** What this device did, and what went wrong. */

import type { ActivityEntry } from '../../../api.ts'
import { call } from '../api.ts'
import { type NewsKind, useNews } from '../news.ts'
import { type AskPage, useGrowing } from '../growing.ts'
import { sentenceText, spanText } from '../parts/format.ts'
import { More } from '../parts/more.tsx'
import { Badge, Empty, Failed, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Time } from '../parts/value.tsx'
import { goTo, type Place } from '../router.ts'
import { cameOfIt, endText, titleText } from './words.ts'

const pageEntries = 50
const NEWS: readonly NewsKind[] = ['history']
const CHOICES = [
  ['all', 'everything'],
  ['task', 'what was done'],
  ['trouble', 'troubles'],
] as const

/** The history; what is chosen stands in the address. */
export function HistoryList({ place }: { readonly place: Place }) {
  const news = useNews(NEWS)
  const chosen = CHOICES.find(([name]) => name === place.query['show'])?.[0] ?? 'all'
  const ask: AskPage<ActivityEntry> = async (before, limit, signal) => {
    const params = {
      limit,
      ...(before !== undefined && { before }),
      ...(chosen !== 'all' && { only: chosen }),
    }
    const { entries, next } = await call('activity', params, { signal })
    return { items: entries, next }
  }
  const list = useGrowing(chosen, news, pageEntries, ask)
  const { items, error, again } = list
  return (
    <Section title="History" actions={<Choice chosen={chosen} />}>
      {error !== undefined && <Failed error={error} again={again} />}
      {items?.length === 0 && (
        <Empty>{chosen === 'trouble' ? 'Nothing went wrong.' : 'Nothing has ended yet.'}</Empty>
      )}
      {items !== undefined && items.length > 0 && (
        <Table
          caption="What was done, the newest first"
          columns={COLUMNS}
          rows={items}
          keyOf={({ id }) => id}
        />
      )}
      <More list={list} words="Show older" />
    </Section>
  )
}

function Choice({ chosen }: { readonly chosen: string }) {
  return (
    <label class="choice">
      <span>Show</span>
      <select
        value={chosen}
        onChange={({ currentTarget: { value } }) => {
          goTo(['activity'], { show: value === 'all' ? undefined : value }, { replace: true })
        }}
      >
        {CHOICES.map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}

const COLUMNS = [
  {
    title: 'What',
    kind: 'main',
    cell: (entry: ActivityEntry) =>
      entry.kind === 'task'
        ? titleText(entry.task, entry.profile)
        : `Trouble${entry.name === undefined ? '' : ` with ${entry.name}`}`,
  },
  {
    title: 'When',
    cell: (entry: ActivityEntry) => <Time time={entry.kind === 'task' ? entry.time : entry.last_time} />,
  },
  {
    title: 'How it ended',
    cell: (entry: ActivityEntry) => {
      if (entry.kind === 'trouble')
        return <Badge tone="warn">{entry.times === 1 ? 'told' : `${String(entry.times)} times`}</Badge>
      const { words, tone } = endText(entry.outcome)
      return <Badge tone={tone}>{words}</Badge>
    },
  },
  {
    title: 'What came of it',
    cell: (entry: ActivityEntry) =>
      entry.kind === 'task' ? (
        cameOfIt(entry)
      ) : (
        <>
          {sentenceText(entry.message)}
          {entry.remedy !== undefined && <div class="hint">To do: {sentenceText(entry.remedy)}</div>}
        </>
      ),
  },
  {
    title: 'Took',
    kind: 'number',
    cell: (entry: ActivityEntry) =>
      entry.kind === 'task' && entry.seconds !== undefined ? spanText(entry.seconds) : '–',
  },
] as const
