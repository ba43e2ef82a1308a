/** What a snapshot has that the one before of the same device and paths has not, and the other way round. */

import { useEffect, useState } from 'preact/hooks'
import type { DiffEvent, DiffStatistics, SnapshotInfo } from '../../../api.ts'
import { call, isAborted, stream } from '../api.ts'
import { Button, LinkButton } from '../parts/button.tsx'
import { timeText } from '../parts/format.ts'
import { Badge, Empty, Failed, Screen, Section, type Tone } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { hrefOf } from '../router.ts'
import { changesSentence, changeText } from './words.ts'

const EVERY = { devices: [], paths: [], tags: [] }
/** So many changes are drawn; the rest is counted. */
const shownMax = 1000

interface Changes {
  readonly info?: SnapshotInfo
  /** Absent: there is none. */
  readonly before?: SnapshotInfo | undefined
  readonly shown: readonly DiffEvent[]
  readonly count: number
  readonly statistics?: DiffStatistics
  readonly error?: Error
}

/** The screen at `#/snapshots/ID/changes`. */
export function ChangesView({ id }: { readonly id: string }) {
  const { changes, stop } = useChanges(id)
  const { info, before, shown, count, statistics, error } = changes
  const isFirst = info !== undefined && 'before' in changes && before === undefined
  const isOver = isFirst || statistics !== undefined || error !== undefined
  return (
    <Screen
      title="Snapshots"
      sentence={
        isFirst
          ? 'It is the first of its device and paths: nothing is before it.'
          : statistics === undefined
            ? error && 'The comparison did not come to an end.'
            : changesSentence(statistics)
      }
      todo={
        before !== undefined &&
        info !== undefined &&
        `From ${timeText(before.time)} to ${timeText(info.time)}, ${info.device_name}.`
      }
      actions={
        <>
          <LinkButton href={hrefOf(['snapshots', id])}>About this snapshot</LinkButton>
          {!isOver && <Button onClick={stop}>Stop</Button>}
        </>
      }
    >
      {error !== undefined && <Failed error={error} />}
      {!isFirst && (
        <Section
          title="Changes"
          hint={count > shownMax ? `The first ${String(shownMax)} of ${String(count)}.` : undefined}
        >
          {shown.length > 0 ? (
            <Table
              caption="What changed"
              columns={COLUMNS}
              rows={shown}
              keyOf={({ path, path_b64: exact, modifier }) => `${modifier} ${exact ?? path}`}
            />
          ) : (
            <Empty>{isOver ? 'Nothing changed.' : 'Comparing…'}</Empty>
          )}
        </Section>
      )}
    </Screen>
  )
}

const TONES: Readonly<Record<string, Tone>> = { '+': 'good', '-': 'warn', 'M?': 'bad' }

const COLUMNS = [
  { title: 'Path', kind: 'main', cell: ({ path }: DiffEvent) => path },
  {
    title: 'Change',
    cell: (event: DiffEvent) => <Badge tone={TONES[event.modifier] ?? 'plain'}>{changeText(event)}</Badge>,
  },
] as const

/** Lists are drawn a few times a second, however fast they grow. */
const drawEveryMs = 200

function useChanges(id: string): { readonly changes: Changes; readonly stop: () => void } {
  const [changes, setChanges] = useState<Changes>({ shown: [], count: 0 })
  const [end, setEnd] = useState<AbortController | undefined>(undefined)
  useEffect(() => {
    const controller = new AbortController()
    setEnd(controller)
    let isLeft = false
    compare(id, (now) => !isLeft && setChanges(now), controller.signal).catch((error: unknown) => {
      if (isLeft) return
      const why = isAborted(error) ? new Error('Stopped.') : (error as Error)
      setChanges((old) => ({ ...old, error: why }))
    })
    return () => {
      isLeft = true
      controller.abort()
    }
  }, [id])
  return { changes, stop: () => end?.abort() }
}

async function compare(id: string, onChange: (changes: Changes) => void, signal: AbortSignal): Promise<void> {
  const [info] = await call('snapshots', { filter: EVERY, snapshots: [id], limit: 1 }, { signal })
  if (info === undefined) return
  const paths = info.paths_b64?.map((b64) => ({ b64 })) ?? info.paths
  const [before] = await call(
    'snapshots',
    {
      filter: { devices: [info.device], paths, tags: [] },
      snapshots: [],
      newestFirst: true,
      limit: 1,
      ...(info.cursor !== undefined && { after: info.cursor }),
    },
    { signal },
  )
  let now: Changes = { info, before, shown: [], count: 0 }
  onChange(now)
  if (before === undefined) return
  let drawnMs = 0
  const statistics = await stream(
    'diff',
    { from: before.id, to: info.id, filter: EVERY, metadata: true },
    (event) => {
      now = { ...now, shown: now.count < shownMax ? [...now.shown, event] : now.shown, count: now.count + 1 }
      if (performance.now() - drawnMs < drawEveryMs) return
      drawnMs = performance.now()
      onChange(now)
    },
    { signal },
  )
  onChange({ ...now, statistics })
}
