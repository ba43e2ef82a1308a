/** What space waits for: whom, since when, how much, and what would be if that device were removed. */

import type { WaitingReclaim } from '../../../api.ts'
import { sentenceText } from '../parts/format.ts'
import { Empty, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Ago, Bytes } from '../parts/value.tsx'
import { hrefOf } from '../router.ts'
import { ifRemovedText, waitsForText } from './words.ts'

/** The list; the largest first. */
export function WaitingList({ waiting }: { readonly waiting: readonly WaitingReclaim[] }) {
  const rows = [...waiting].sort((one, other) => other.bytes - one.bytes)
  return (
    <Section
      title="Space that waits"
      hint="No device frees what another may still need. Whoever is waited for has only to be heard of."
    >
      {rows.length === 0 ? (
        <Empty>Nothing waits: what was forgotten is free, or will be at the next look.</Empty>
      ) : (
        <Table
          caption="What waits to be freed on this device, and for whom"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ block, snapshot_ids }) =>
            [block.kind, block.message, block.until, snapshot_ids[0]].join(' ')
          }
        />
      )}
    </Section>
  )
}

const COLUMNS = [
  {
    title: 'Waits for',
    kind: 'main',
    cell: (one: WaitingReclaim) => {
      const removed = ifRemovedText(one)
      return (
        <>
          {waitsForText(one.block)}
          <div class="hint why">{sentenceText(one.block.message)}</div>
          {removed !== undefined && (
            <div class="hint why">
              {removed} <a href={hrefOf(['devices'])}>Devices</a>
            </div>
          )}
        </>
      )
    },
  },
  {
    title: 'Snapshots',
    kind: 'number',
    cell: ({ snapshot_ids }: WaitingReclaim) => String(snapshot_ids.length),
  },
  { title: 'Space', kind: 'number', cell: ({ bytes }: WaitingReclaim) => <Bytes value={bytes} /> },
  {
    title: 'Not heard of since',
    cell: ({ block: { since } }: WaitingReclaim) => (since === undefined ? '–' : <Ago time={since} />),
  },
  {
    title: 'Ends by itself',
    cell: ({ block: { until } }: WaitingReclaim) => (until === undefined ? 'no' : <Ago time={until} />),
  },
] as const
