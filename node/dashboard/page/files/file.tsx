/** One file of a snapshot: what it is, what is in it, and its versions in all snapshots. */

import { useState } from 'preact/hooks'
import type { FileVersion, NodeInfo, VersionsPage } from '../../../api.ts'
import { call } from '../api.ts'
import { useAsk } from '../ask.ts'
import { Button, LinkButton } from '../parts/button.tsx'
import { countText, timeText } from '../parts/format.ts'
import { More } from '../parts/more.tsx'
import { usePages } from '../parts/pages.ts'
import { Badge, Empty, Failed, Screen, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Ago, Bytes, Time } from '../parts/value.tsx'
import type { Place } from '../router.ts'
import { AsOf, Crumbs } from './directory.tsx'
import { DownloadButton } from './download.tsx'
import { nameOf, parentOf, pathOfQuery, pathText, shown, type RawPath } from './paths.ts'
import { placeHref } from './places.ts'
import { PreviewSection } from './preview.tsx'
import { RestoreDialog } from './restore-dialog.tsx'
import { Restores } from './restores.tsx'
import { kindText, seenText } from './words.ts'

const EVERY = { devices: [], paths: [], tags: [] }
const pageLimit = 50

/** The screen at `#/files/file/SNAPSHOT?path=…`. */
export function FileView({ place, snapshot }: { readonly place: Place; readonly snapshot: string }) {
  const path = pathOfQuery(place.query)
  const { value, error, again } = useAsk(
    'browse',
    { snapshot, filter: EVERY, path: pathText(path), limit: 1 },
    { live: false },
  )
  const [restoring, setRestoring] = useState<string | undefined>(undefined)
  const name = shown(nameOf(path))
  const entry = value?.entry
  return (
    <Screen
      title="Files"
      sentence={
        error === undefined
          ? value && `${name} of ${value.snapshot.device_name}, as of ${timeText(value.snapshot.time)}.`
          : `${name} cannot be shown in this snapshot.`
      }
      actions={
        entry !== undefined && (
          <>
            <Button kind="main" icon="up" onClick={() => setRestoring(snapshot)}>
              Restore…
            </Button>
            {entry.type === 'file' && <DownloadButton snapshot={snapshot} path={path} isDirectory={false} />}
            <LinkButton href={placeHref('in', snapshot, parentOf(path))} icon="files">
              Its directory
            </LinkButton>
          </>
        )
      }
    >
      <Restores />
      {value !== undefined && <AsOf info={value.snapshot} path={path} what="file" />}
      <Crumbs snapshot={snapshot} path={path} />
      {error !== undefined && <Failed error={error} again={again} />}
      {entry !== undefined && <Facts entry={entry} />}
      <Versions path={path} snapshot={snapshot} onRestore={setRestoring} />
      {entry?.type === 'file' && <PreviewSection snapshot={snapshot} path={path} size={entry.size ?? 0} />}
      {restoring !== undefined && (
        <RestoreDialog
          what={{ snapshot: restoring, path }}
          info={restoring === snapshot ? value?.snapshot : undefined}
          name={name}
          onClose={() => setRestoring(undefined)}
        />
      )}
    </Screen>
  )
}

function Facts({ entry }: { readonly entry: NodeInfo }) {
  const owner = `${entry.user ?? String(entry.uid)}:${entry.group ?? String(entry.gid)}`
  return (
    <dl class="facts">
      <Fact name="Kind">{kindText(entry)}</Fact>
      {entry.size !== undefined && (
        <Fact name="Size">
          <Bytes value={entry.size} />
        </Fact>
      )}
      <Fact name="Modified">
        <Time time={entry.mtime} />
      </Fact>
      <Fact name="Owner">{owner}</Fact>
      <Fact name="Permissions">
        <code>{entry.permissions}</code>
      </Fact>
    </dl>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Versions(props: {
  readonly path: RawPath
  readonly snapshot: string
  readonly onRestore: (snapshot: string) => void
}) {
  const { path, snapshot, onRestore } = props
  const list = usePages<VersionsPage>(
    path,
    (after, signal) =>
      call(
        'versions',
        { path: pathText(path), filter: EVERY, limit: pageLimit, ...(after !== undefined && { after }) },
        { signal },
      ),
    ({ next }) => next,
  )
  const { pages, error, more } = list
  const [first] = pages
  const versions = pages.flatMap((page) => page.versions)
  const unread = first?.unreachable_count ?? 0
  return (
    <Section
      title="Versions"
      hint={
        first &&
        `${countText(first.version_count, 'version')} in ${countText(first.snapshot_count, 'snapshot')}` +
          (unread === 0 ? '' : `; ${countText(unread, 'snapshot')} on no device in reach`)
      }
    >
      {error !== undefined && <Failed error={error} again={more} />}
      {first === undefined && error === undefined && <p class="hint">Looking through the snapshots…</p>}
      {first !== undefined && versions.length === 0 && <Empty>No snapshot in reach has it.</Empty>}
      {versions.length > 0 && (
        <Table
          caption={`Versions of ${shown(nameOf(path))}, newest first`}
          columns={columns(path, snapshot, onRestore)}
          rows={versions}
          keyOf={(version) => version.snapshot}
        />
      )}
      <More list={list} words="Older versions" />
    </Section>
  )
}

function columns(path: RawPath, snapshot: string, onRestore: (snapshot: string) => void) {
  return [
    {
      title: 'Modified',
      kind: 'main',
      cell: (version: FileVersion) => (
        <>
          <Time time={version.mtime} />{' '}
          {version.snapshots.includes(snapshot) && <Badge tone="good">shown</Badge>}
        </>
      ),
    },
    {
      title: 'Size',
      kind: 'number',
      cell: ({ size }: FileVersion) => (size === undefined ? '–' : <Bytes value={size} />),
    },
    { title: 'Last backed up', cell: ({ last_seen: time }: FileVersion) => <Ago time={time} /> },
    { title: 'In', cell: seenText },
    { title: 'By', cell: ({ devices }: FileVersion) => devices.join(', ') },
    {
      title: 'Do',
      kind: 'actions',
      cell: (version: FileVersion) => {
        const of = `the version of ${timeText(version.mtime)}`
        return (
          <span class="row-actions">
            {!version.snapshots.includes(snapshot) && (
              <a href={placeHref('file', version.snapshot, path)} aria-label={`Show ${of}`}>
                Show
              </a>
            )}
            <Button kind="quiet" label={`Restore ${of}`} onClick={() => onRestore(version.snapshot)}>
              Restore…
            </Button>
          </span>
        )
      },
    },
  ] as const
}
