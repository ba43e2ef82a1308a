/** Snapshots by who has them: all, those that lack copies, or those that stand on one device. */

import type { DeviceLoss, SnapshotCopies } from '../../../api.ts'
import { call } from '../api.ts'
import { type AskPage, useGrowing } from '../growing.ts'
import { countText, listText } from '../parts/format.ts'
import { More } from '../parts/more.tsx'
import { Badge, Empty, Failed, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Bytes, Time } from '../parts/value.tsx'
import { goTo, hrefOf, type Place } from '../router.ts'
import { stateOf } from './words.ts'

const pageSnapshots = 50

/** The list, and what may be chosen of it. */
export function SnapshotList(props: {
  readonly place: Place
  readonly devices: readonly DeviceLoss[]
  readonly news: number
}) {
  const { place, devices, news } = props
  const device = devices.find((one) => one.device === place.path[1])
  const chosen = device?.device ?? (place.query['show'] === 'all' ? 'all' : 'incomplete')
  const ask: AskPage<SnapshotCopies> = async (after, limit, signal) => {
    const params = {
      incomplete: chosen === 'incomplete',
      limit,
      ...(device !== undefined && { device: device.device }),
      ...(after !== undefined && { after }),
    }
    const { snapshots, next } = await call('copies', params, { signal })
    return { items: snapshots, next }
  }
  const list = useGrowing(chosen, news, pageSnapshots, ask)
  const { items, error, again } = list
  return (
    <Section title="Snapshots" actions={<Choice chosen={chosen} devices={devices} />}>
      {error !== undefined && <Failed error={error} again={again} />}
      {items?.length === 0 && <Empty>{nothingText(chosen, device)}</Empty>}
      {items !== undefined && items.length > 0 && (
        <Table
          caption="Snapshots, and the devices that have them"
          columns={COLUMNS}
          rows={items}
          keyOf={({ id }) => id}
        />
      )}
      <More list={list} words="Show older" />
    </Section>
  )
}

function nothingText(chosen: string, device: DeviceLoss | undefined): string {
  if (device !== undefined) return `No snapshot stands on ${device.name} alone.`
  return chosen === 'all' ? 'There is no snapshot yet.' : 'Every snapshot has the copies it should have.'
}

function Choice({ chosen, devices }: { readonly chosen: string; readonly devices: readonly DeviceLoss[] }) {
  return (
    <label class="choice">
      <span>Show</span>
      <select
        value={chosen}
        onChange={({ currentTarget: { value } }) => {
          if (value === 'incomplete' || value === 'all')
            goTo(['copies'], value === 'all' ? { show: 'all' } : {}, { replace: true })
          else goTo(['copies', value], {}, { replace: true })
        }}
      >
        <option value="incomplete">those that lack copies</option>
        <option value="all">all</option>
        {devices.map(({ device, name }) => (
          <option key={device} value={device}>
            those that stand on {name}
          </option>
        ))}
      </select>
    </label>
  )
}

const COLUMNS = [
  {
    title: 'Snapshot',
    kind: 'main',
    cell: ({ id, device_name, time }: SnapshotCopies) => (
      <a href={hrefOf(['snapshots', id])}>
        {device_name}, <Time time={time} />
      </a>
    ),
  },
  {
    title: 'Of',
    cell: ({ paths }: SnapshotCopies) =>
      paths.length === 0
        ? '–'
        : paths.length > 2
          ? `${paths[0] ?? ''} and ${countText(paths.length - 1, 'other')}`
          : listText(paths),
  },
  {
    title: 'Copies',
    cell: (snapshot: SnapshotCopies) => {
      const { sentence, tone } = stateOf(snapshot)
      return <Badge tone={tone}>{sentence}</Badge>
    },
  },
  { title: 'On', cell: ({ holders }: SnapshotCopies) => manyText(holders, '–') },
  { title: 'Still missing on', cell: ({ missing }: SnapshotCopies) => manyText(missing, 'none') },
  {
    title: 'Added',
    kind: 'number',
    cell: ({ bytes }: SnapshotCopies) => (bytes === undefined ? '–' : <Bytes value={bytes} />),
  },
] as const

/** Fifty names say no more than five. */
function manyText(names: readonly string[], none: string) {
  if (names.length === 0) return none
  if (names.length <= 5) return listText(names)
  return (
    <span
      title={names.join(', ')}
    >{`${names.slice(0, 4).join(', ')} and ${String(names.length - 4)} more`}</span>
  )
}
