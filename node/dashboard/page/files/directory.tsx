/** One directory of a snapshot: its entries, and what can be done with all of it. */

import { useState } from 'preact/hooks'
import type { BrowsePage, NodeInfo, SnapshotInfo } from '../../../api.ts'
import { call } from '../api.ts'
import { useAsk } from '../ask.ts'
import { Button } from '../parts/button.tsx'
import { timeText } from '../parts/format.ts'
import { usePages } from '../parts/pages.ts'
import { Empty, Failed, Screen } from '../parts/screen.tsx'
import { Bytes, Time } from '../parts/value.tsx'
import { VirtualList } from '../parts/virtual-list.tsx'
import { goTo, hrefOf, type Place } from '../router.ts'
import { DownloadButton } from './download.tsx'
import { EntryRow, rowHeight } from './entry-row.tsx'
import { crumbsOf, pathOfQuery, pathQuery, pathText, rawOfFields, shown, TOP, type RawPath } from './paths.ts'
import { placeHref } from './places.ts'
import { RestoreDialog } from './restore-dialog.tsx'
import { Restores } from './restores.tsx'
import { directoriesFirst, kindText } from './words.ts'

const pageLimit = 500
const EVERY = { devices: [], paths: [], tags: [] }

/** The screen at `#/files/in/SNAPSHOT?path=…`. */
export function DirectoryView({ place, snapshot }: { readonly place: Place; readonly snapshot: string }) {
  const path = pathOfQuery(place.query)
  const [isRestoring, setRestoring] = useState(false)
  const { pages, error, hasMore, isAsking, more } = usePages<BrowsePage>(
    JSON.stringify([snapshot, path]),
    (after, signal) =>
      call(
        'browse',
        {
          snapshot,
          filter: EVERY,
          path: pathText(path),
          limit: pageLimit,
          ...(after !== undefined && { after }),
        },
        { signal },
      ),
    ({ next }) => next,
  )
  const info = pages[0]?.snapshot
  const all = pages.flatMap(({ entries }) => entries)
  const entries = hasMore ? all : directoriesFirst(all)
  const name = path === TOP ? 'All' : shown(path)
  return (
    <Screen
      title="Files"
      sentence={
        error !== undefined && info === undefined
          ? `${name} cannot be shown.`
          : info && `${name} of ${info.device_name}, as of ${timeText(info.time)}.`
      }
      actions={
        <>
          <Button kind="main" icon="up" onClick={() => setRestoring(true)}>
            Restore this directory…
          </Button>
          <DownloadButton snapshot={snapshot} path={path} isDirectory />
        </>
      }
    >
      <Restores />
      {info !== undefined && <AsOf info={info} path={path} what="in" />}
      <Crumbs snapshot={snapshot} path={path} />
      {error !== undefined && <Failed error={error} again={more} />}
      {pages.length > 0 && entries.length === 0 && !hasMore && <Empty>Nothing is in it.</Empty>}
      {entries.length > 0 && (
        <VirtualList
          label={`Entries of ${name}`}
          rows={entries}
          keyOf={({ name: entry, path_b64: exact }) => exact ?? entry}
          rowHeight={rowHeight}
          onEnd={hasMore ? more : undefined}
          draw={(entry) => <Row entry={entry} snapshot={snapshot} />}
          after={hasMore || isAsking ? <p class="hint list-end">More is being asked for…</p> : undefined}
        />
      )}
      {isRestoring && (
        <RestoreDialog
          what={{ snapshot, path }}
          info={info}
          name={path === TOP ? 'the whole snapshot' : shown(path)}
          onClose={() => setRestoring(false)}
        />
      )}
    </Screen>
  )
}

function Row({ entry, snapshot }: { readonly entry: NodeInfo; readonly snapshot: string }) {
  return (
    <EntryRow
      entry={entry}
      href={placeHref(entry.type === 'dir' ? 'in' : 'file', snapshot, rawOfFields(entry))}
      facts={
        <>
          <span class="where">
            {entry.size === undefined ? kindText(entry) : <Bytes value={entry.size} />}
          </span>
          <Time time={entry.mtime} />
        </>
      }
    />
  )
}

/** The way to a path. */
export function Crumbs({ snapshot, path }: { readonly snapshot: string; readonly path: RawPath }) {
  const crumbs = crumbsOf(path)
  return (
    <nav class="crumbs" aria-label="Directories above">
      <ol>
        <li>
          <a href={placeHref('in', snapshot, TOP)}>top</a>
        </li>
        {crumbs.map((crumb, at) => (
          <li key={crumb.path}>
            {at === crumbs.length - 1 ? (
              <span aria-current="page">{crumb.name}</span>
            ) : (
              <a href={placeHref('in', snapshot, crumb.path)}>{crumb.name}</a>
            )}
          </li>
        ))}
      </ol>
    </nav>
  )
}

/** Which state is shown, and which others there are: the same place goes on being looked at. */
export function AsOf(props: {
  readonly info: SnapshotInfo
  readonly path: RawPath
  readonly what: 'in' | 'file'
}) {
  const { info, path, what } = props
  const { value } = useAsk('snapshots', {
    filter: {
      devices: [info.device],
      paths: info.paths_b64?.map((b64) => ({ b64 })) ?? info.paths,
      tags: [],
    },
    snapshots: [],
    newestFirst: true,
    limit: 200,
  })
  const others = value ?? []
  const all = others.some(({ id }) => id === info.id) ? others : [info, ...others]
  return (
    <p class="as-of">
      <label for="as-of">As of</label>
      <select
        id="as-of"
        value={info.id}
        onChange={(event) => goTo(['files', what, event.currentTarget.value], pathQuery(path))}
      >
        {all.map(({ id, time }) => (
          <option key={id} value={id}>
            {timeText(time)}
          </option>
        ))}
      </select>
      <a href={hrefOf(['snapshots', info.id])}>About this snapshot</a>
    </p>
  )
}
