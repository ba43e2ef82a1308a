/** What was forgotten: bringing it back, and what its space waits for (spec/deletion.md). */

import { useEffect, useState } from 'preact/hooks'
import type { PruneResult, TrashEntry } from '../../../api.ts'
import { call } from '../api.ts'
import { type Asked, useAsk, useDo } from '../ask.ts'
import { Button } from '../parts/button.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { bytesText, listText } from '../parts/format.ts'
import { Badge, Empty, Failed, Screen, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Ago, Time } from '../parts/value.tsx'
import { WaitingList } from './waiting-list.tsx'
import { forgottenText, prunedText, timeLeft, trashSentence } from './words.ts'

/** So many are drawn; more are drawn when somebody asks. */
const shownAtOnce = 100

/** The screen at `#/trash`. */
export function TrashScreen() {
  const trash = useAsk('trash', {})
  const pruned = useForeseen(trash)
  const { value } = trash
  const error = trash.error ?? pruned.error
  return (
    <Screen
      title="Trash"
      sentence={value === undefined ? undefined : trashSentence(value, pruned.value)}
      todo={
        value === undefined || value.length === 0
          ? undefined
          : 'What you bring back is there again on every device, as if it had never been forgotten.'
      }
      actions={<FreeSpace pruned={pruned.value} />}
    >
      {error !== undefined && <Failed error={error} again={trash.again} />}
      {value !== undefined && <Forgotten trash={value} />}
      {pruned.value !== undefined && <WaitingList waiting={pruned.value.waiting} />}
    </Screen>
  )
}

/** What a `prune` would do costs more than a look at the trash: asked again only when that has changed. */
function useForeseen(trash: Asked<readonly TrashEntry[]>): Asked<PruneResult> {
  const foreseen = useAsk('prune', { dryRun: true, unfinished: false }, { live: false })
  const key = JSON.stringify(
    trash.value?.map(({ snapshot, waits_for }) => [
      snapshot.id,
      waits_for.map(({ kind, device }) => [kind, device]),
    ]),
  )
  const { again } = foreseen
  useEffect(again, [key])
  return foreseen
}

function Forgotten({ trash }: { readonly trash: readonly TrashEntry[] }) {
  const [isAll, setAll] = useState(false)
  if (trash.length === 0)
    return (
      <Section title="Forgotten snapshots">
        <Empty>Nothing was forgotten that could be brought back.</Empty>
      </Section>
    )
  // The one forgotten last is looked for first.
  const newest = [...trash].reverse()
  const rows = isAll ? newest : newest.slice(0, shownAtOnce)
  return (
    <Section title="Forgotten snapshots">
      <Table
        caption="Forgotten snapshots that can be brought back"
        columns={COLUMNS}
        rows={rows}
        keyOf={({ snapshot }) => snapshot.id}
      />
      {rows.length < newest.length && (
        <p class="more">
          <Button onClick={() => setAll(true)}>Show all {String(newest.length)}</Button>
        </p>
      )}
    </Section>
  )
}

const COLUMNS = [
  {
    title: 'Snapshot',
    kind: 'main',
    cell: ({ snapshot }: TrashEntry) => (
      <>
        {snapshot.device_name}, <Time time={snapshot.time} />
        {snapshot.paths.length > 0 && <div class="hint">{listText(snapshot.paths)}</div>}
      </>
    ),
  },
  {
    title: 'Forgotten',
    cell: (entry: TrashEntry) => (
      <>
        <Ago time={entry.forgotten_at} />, {forgottenText(entry)}
      </>
    ),
  },
  { title: 'Can be brought back', cell: (entry: TrashEntry) => <Left entry={entry} /> },
  { title: 'Bring back', kind: 'actions', cell: (entry: TrashEntry) => <BringBack entry={entry} /> },
] as const

function Left({ entry }: { readonly entry: TrashEntry }) {
  const left = timeLeft(entry)
  switch (left.kind) {
    case 'until':
      return (
        <>
          <span class="unseen">for certain until </span>
          <Badge tone="plain">
            goes <Ago time={left.time} />
          </Badge>
        </>
      )
    case 'held':
      return (
        <Badge tone="plain">
          {entry.held_here ? 'as long as it waits' : `from ${listText(entry.holders)}`}
        </Badge>
      )
    case 'any-moment':
      return <Badge tone="warn">it may go at any moment</Badge>
    case 'gone':
      return <Badge tone="bad">not from any known device</Badge>
  }
}

function BringBack({ entry: { snapshot } }: { readonly entry: TrashEntry }) {
  const { isBusy, run } = useDo(async () => {
    const { refused, pinned_ids } = await call('undelete', { snapshots: [snapshot.id] })
    const [no] = refused
    if (no !== undefined) throw new Error(no.message)
    const pinned =
      pinned_ids === undefined || pinned_ids.length === 0
        ? ''
        : ' It is pinned, as a rule would forget it again.'
    return `Snapshot ${snapshot.short_id} is back.${pinned}`
  })
  return (
    <Button onClick={run} busy={isBusy} label={`Bring back snapshot ${snapshot.short_id}`}>
      Bring back
    </Button>
  )
}

function FreeSpace({ pruned }: { readonly pruned: PruneResult | undefined }) {
  const [isOpen, setOpen] = useState(false)
  const { isBusy, run } = useDo(async () => {
    const result = await call('prune', { dryRun: false, unfinished: false })
    setOpen(false)
    return prunedText(result)
  })
  const bytes = pruned?.bytes_removed ?? 0
  if (bytes === 0) return null
  return (
    <>
      <Button onClick={() => setOpen(true)}>Free {bytesText(bytes)} now…</Button>
      {isOpen && (
        <Confirm
          title={`Free ${bytesText(bytes)} on this device?`}
          deed="Free the space"
          kind="danger"
          busy={isBusy}
          onConfirm={run}
          onClose={() => setOpen(false)}
        >
          <p>
            It would be freed by itself anyway: no rule of safety stands in the way any more. What is freed
            here cannot be brought back from this device.
          </p>
        </Confirm>
      )}
    </>
  )
}
