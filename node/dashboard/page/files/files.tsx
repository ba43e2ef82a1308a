/** Files: begin with a file, in whatever snapshot it is. */

import type { SnapshotInfo } from '../../../api.ts'
import { useAsk } from '../ask.ts'
import { Empty, Failed, Screen, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Ago, Bytes } from '../parts/value.tsx'
import type { Place } from '../router.ts'
import { DirectoryView } from './directory.tsx'
import { FileView } from './file.tsx'
import { rawOf, startOf, type RawPath } from './paths.ts'
import { placeHref } from './places.ts'
import { Restores } from './restores.tsx'
import { SearchBox, SearchView } from './search.tsx'
import { filesSentence } from './words.ts'

/** The screen at `#/files`; `in/SNAPSHOT` is a directory, `file/SNAPSHOT` a file, `search` what was looked for. */
export function FilesScreen({ place }: { readonly place: Place }) {
  const [, what, snapshot] = place.path
  if (what === 'in' && snapshot !== undefined) return <DirectoryView place={place} snapshot={snapshot} />
  if (what === 'file' && snapshot !== undefined) return <FileView place={place} snapshot={snapshot} />
  if (what === 'search') return <SearchView place={place} />
  return <Sources />
}

/** What the newest snapshot of each device and paths has. */
function Sources() {
  const { value, error, again } = useAsk('snapshots', {
    filter: { devices: [], paths: [], tags: [] },
    snapshots: [],
    latest: 1,
    newestFirst: true,
    limit: 1000,
  })
  return (
    <Screen
      title="Files"
      sentence={error === undefined && value === undefined ? undefined : filesSentence(value ?? [])}
      todo="Look for a name, or open what was backed up; then look at older versions, restore or download."
    >
      <Restores />
      <SearchBox text="" />
      {error !== undefined && <Failed error={error} again={again} />}
      {value !== undefined && (
        <Section title="Backed up">
          {value.length === 0 ? (
            <Empty>
              Back something up: <code>cellar backup ~/Documents</code>
            </Empty>
          ) : (
            <Table
              caption="What was backed up, newest state"
              columns={COLUMNS}
              rows={value}
              keyOf={({ id }) => id}
            />
          )}
        </Section>
      )}
    </Screen>
  )
}

/** Paths of a snapshot, by their bytes. */
export function pathsOf({ paths, paths_b64: exact }: SnapshotInfo): readonly RawPath[] {
  return exact === undefined ? paths.map(rawOf) : exact.map((b64) => rawOf({ b64 }))
}

const COLUMNS = [
  {
    title: 'What',
    kind: 'main',
    cell: (one: SnapshotInfo) => (
      <a href={placeHref('in', one.id, startOf(pathsOf(one)))}>{one.paths.join(', ')}</a>
    ),
  },
  { title: 'Device', cell: ({ device_name: name }: SnapshotInfo) => name },
  { title: 'Newest state', cell: ({ time }: SnapshotInfo) => <Ago time={time} /> },
  {
    title: 'Size',
    kind: 'number',
    cell: ({ summary }: SnapshotInfo) =>
      summary === undefined ? '–' : <Bytes value={summary.total_bytes_processed} />,
  },
] as const
