/** The first screen: whether all is safe, what wants somebody, and every device in one line. */

import type { DeviceInfo, Status } from '../../../api.ts'
import { statusSentence, type Verdict } from '../../../status-sentence.ts'
import { useLive } from '../live.ts'
import { Badge, Empty, Notice, Screen, Section, type Tone } from '../parts/screen.tsx'
import { sentenceText } from '../parts/format.ts'
import { Table } from '../parts/table.tsx'
import { Ago, Bytes } from '../parts/value.tsx'
import { attention } from './attention.ts'

const TONES: Readonly<Record<Verdict, Tone>> = {
  safe: 'good',
  waiting: 'plain',
  alone: 'warn',
  late: 'warn',
  empty: 'warn',
  trouble: 'bad',
}

/** The screen at `#/`. */
export function HomeScreen() {
  const { status } = useLive()
  if (status === undefined) return <Screen title="Home" />
  const { verdict, sentence, todo } = statusSentence(status)
  return (
    <Screen
      title="Home"
      sentence={sentence}
      tone={TONES[verdict]}
      todo={todo === undefined ? undefined : sentenceText(todo)}
    >
      <Attention status={status} />
      <Section title="Devices">
        <Table caption="Devices of the mesh" columns={COLUMNS} rows={status.devices} keyOf={({ id }) => id} />
      </Section>
    </Screen>
  )
}

function Attention({ status }: { readonly status: Status }) {
  const matters = attention(status)
  return (
    <Section title="What needs you">
      {matters.length === 0 ? (
        <Empty>Nothing. Backups and copies go on by themselves.</Empty>
      ) : (
        matters.map(({ key, tone, text, todo }) => (
          <Notice key={key} tone={tone}>
            <p>{sentenceText(text)}</p>
            {todo !== undefined && <p class="hint">{sentenceText(todo)}</p>}
          </Notice>
        ))
      )}
    </Section>
  )
}

const COLUMNS = [
  { title: 'Device', kind: 'main', cell: (device: DeviceInfo) => device.name },
  {
    title: 'Seen',
    cell: (device: DeviceInfo) =>
      device.self ? (
        'this device'
      ) : device.connected ? (
        <Badge tone="good">connected</Badge>
      ) : device.last_seen === undefined ? (
        'not yet'
      ) : (
        <Ago time={device.last_seen} />
      ),
  },
  {
    title: 'Last backup',
    cell: (device: DeviceInfo) =>
      device.last_backup === undefined ? '–' : <Ago time={device.last_backup} />,
  },
  {
    title: 'Holds',
    kind: 'number',
    cell: (device: DeviceInfo) => `${String(device.snapshots_held)} of ${String(device.snapshots_total)}`,
  },
  {
    title: 'Space used',
    kind: 'number',
    cell: (device: DeviceInfo) =>
      device.bytes_used === undefined ? '–' : <Bytes value={device.bytes_used} />,
  },
] as const
