/** Snapshots of all devices, the newest first. */

import { useState } from 'preact/hooks'
import type { SnapshotInfo, Status } from '../../../api.ts'
import { call } from '../api.ts'
import { Restores } from '../files/restores.tsx'
import { useLive } from '../live.ts'
import { Button } from '../parts/button.tsx'
import { More } from '../parts/more.tsx'
import { usePages } from '../parts/pages.ts'
import { Badge, Empty, Failed, Screen, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Ago, Bytes } from '../parts/value.tsx'
import { goTo, hrefOf, type Place } from '../router.ts'
import { ChangesView } from './changes.tsx'
import { askedFilter, type Filter, filterOfQuery, queryOfFilter } from './filter.ts'
import { SnapshotView } from './snapshot.tsx'
import { copiesText, copiesTone, snapshotsSentence } from './words.ts'

const pageLimit = 100

/** The screen at `#/snapshots`; `ID` is one of them, `ID/changes` what is different from the one before. */
export function SnapshotsScreen({ place }: { readonly place: Place }) {
  const [, id, what] = place.path
  if (id !== undefined && what === 'changes') return <ChangesView id={id} />
  if (id !== undefined) return <SnapshotView id={id} />
  return <SnapshotList place={place} />
}

function SnapshotList({ place }: { readonly place: Place }) {
  const { status } = useLive()
  const filter = filterOfQuery(place.query)
  const asked = askedFilter(filter)
  // What was announced or forgotten since changes the count: then the list is asked for anew.
  const key = status && JSON.stringify([asked, status.snapshots.total])
  const list = usePages<readonly SnapshotInfo[]>(
    key,
    (after, signal) =>
      call(
        'snapshots',
        {
          filter: asked,
          snapshots: [],
          newestFirst: true,
          limit: pageLimit,
          ...(after !== undefined && { after }),
        },
        { signal },
      ),
    (page) => (page.length < pageLimit ? undefined : page.at(-1)?.cursor),
  )
  const { pages, error, more } = list
  const all = pages.flat()
  return (
    <Screen
      title="Snapshots"
      sentence={status && snapshotsSentence(status)}
      tone={status !== undefined && status.snapshots.complete < status.snapshots.total ? 'warn' : 'plain'}
      todo="Open one to see who holds it, to pin or forget it, or to see what changed."
    >
      <Restores />
      {status !== undefined && <FilterForm key={JSON.stringify(filter)} filter={filter} status={status} />}
      {error !== undefined && <Failed error={error} again={more} />}
      <Section title="Newest first">
        {pages.length > 0 && all.length === 0 && <Empty>No snapshot fits.</Empty>}
        {pages.length === 0 && error === undefined && <p class="hint">Asking the node…</p>}
        {all.length > 0 && (
          <Table caption="Snapshots, newest first" columns={COLUMNS} rows={all} keyOf={({ id }) => id} />
        )}
        <More list={list} words="Older snapshots" />
      </Section>
    </Screen>
  )
}

function FilterForm({ filter, status }: { readonly filter: Filter; readonly status: Status }) {
  const [typed, setTyped] = useState(filter)
  const change = (more: Partial<Filter>): void => setTyped({ ...typed, ...more })
  return (
    <form
      class="filter"
      aria-label="Which snapshots"
      onSubmit={(event) => {
        event.preventDefault()
        goTo(['snapshots'], queryOfFilter(typed))
      }}
    >
      <label class="field">
        Device
        <select value={typed.device} onChange={(event) => change({ device: event.currentTarget.value })}>
          <option value="">all</option>
          {status.devices.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        Path that was backed up
        <input
          type="text"
          value={typed.path}
          spellcheck={false}
          onInput={(event) => change({ path: event.currentTarget.value })}
        />
      </label>
      <label class="field">
        Tags
        <input
          type="text"
          value={typed.tags}
          spellcheck={false}
          onInput={(event) => change({ tags: event.currentTarget.value })}
        />
      </label>
      <Button type="submit">Show</Button>
    </form>
  )
}

const COLUMNS = [
  {
    title: 'When',
    kind: 'main',
    cell: ({ id, time }: SnapshotInfo) => (
      <a href={hrefOf(['snapshots', id])}>
        <Ago time={time} />
      </a>
    ),
  },
  { title: 'Device', cell: ({ device_name: name }: SnapshotInfo) => name },
  { title: 'What', cell: ({ paths }: SnapshotInfo) => (paths.length === 0 ? '–' : paths.join(', ')) },
  {
    title: 'Marks',
    cell: ({ tags = [], pinned_by: pinned }: SnapshotInfo) =>
      tags.length === 0 && pinned === undefined ? (
        '–'
      ) : (
        <span class="marks">
          {pinned !== undefined && <Badge tone="good">pinned</Badge>}
          {tags.map((tag) => (
            <Badge key={tag} tone="plain">
              {tag}
            </Badge>
          ))}
        </span>
      ),
  },
  {
    title: 'Size',
    kind: 'number',
    cell: ({ summary }: SnapshotInfo) =>
      summary === undefined ? '–' : <Bytes value={summary.total_bytes_processed} />,
  },
  {
    title: 'Copies',
    kind: 'number',
    cell: (one: SnapshotInfo) => <Badge tone={copiesTone(one)}>{copiesText(one)}</Badge>,
  },
] as const
