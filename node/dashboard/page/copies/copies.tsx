/** Who has which snapshot, and what would be if a device died now (spec/activity.md §4). */

import { useEffect, useState } from 'preact/hooks'
import type { CopiesView, DeviceLoss } from '../../../api.ts'
import { useAsk } from '../ask.ts'
import { type NewsKind, useNews } from '../news.ts'
import { Button, LinkButton } from '../parts/button.tsx'
import { Badge, Failed, Screen, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Ago } from '../parts/value.tsx'
import { hrefOf, type Place } from '../router.ts'
import { SnapshotList } from './snapshot-list.tsx'
import { copiesSentence, lossText, readersText, waitsText } from './words.ts'

/** What changes who has what. */
const NEWS: readonly NewsKind[] = ['changed', 'held', 'audited', 'peer']

const shownAtOnce = 12

/** The screen at `#/copies`, and at `#/copies/DEVICE` for what stands on one device. */
export function CopiesScreen({ place }: { readonly place: Place }) {
  const news = useNews(NEWS)
  const { value, error, again } = useAsk('copies', { incomplete: false, limit: 0 }, { live: false })
  useEffect(again, [news])
  if (value === undefined)
    return <Screen title="Copies">{error !== undefined && <Failed error={error} again={again} />}</Screen>
  const { sentence, tone, todo } = copiesSentence(value)
  return (
    <Screen
      title="Copies"
      sentence={sentence}
      tone={tone}
      todo={todo}
      actions={
        value.devices.length === 1 ? (
          <LinkButton href={hrefOf(['devices'])} kind="main">
            Pair a device
          </LinkButton>
        ) : undefined
      }
    >
      <Section
        title="If this device died now"
        hint="What would be without it, of all that is backed up in the whole mesh."
      >
        <Losses view={value} />
      </Section>
      <SnapshotList place={place} devices={value.devices} news={news} />
    </Screen>
  )
}

/** The worst first: of many devices the others are drawn when somebody asks. */
function Losses({ view }: { readonly view: CopiesView }) {
  const [isAll, setAll] = useState(false)
  const { devices } = view
  const rows = isAll ? devices : devices.slice(0, shownAtOnce)
  return (
    <>
      <Table
        caption="What the loss of each device would mean"
        columns={columnsOf(view)}
        rows={rows}
        keyOf={({ device }) => device}
      />
      {rows.length < devices.length && (
        <p class="more">
          <Button onClick={() => setAll(true)}>Show all {String(devices.length)} devices</Button>
        </p>
      )}
    </>
  )
}

function columnsOf({ paper }: CopiesView) {
  return [
    {
      title: 'Device',
      kind: 'main',
      cell: ({ name, self }: DeviceLoss) => (
        <>
          {name}
          {self && <span class="hint"> (this device)</span>}
        </>
      ),
    },
    {
      title: 'Without it',
      cell: (loss: DeviceLoss) => {
        const { sentence, tone, also } = lossText(loss)
        const badge = <Badge tone={tone}>{sentence}</Badge>
        return (
          <span>
            {loss.lost + loss.too_few === 0 ? (
              badge
            ) : (
              <a
                href={hrefOf(['copies', loss.device])}
                aria-label={`${sentence} without ${loss.name}: show them`}
              >
                {badge}
              </a>
            )}
            {also !== undefined && <div class="hint">{also}</div>}
          </span>
        )
      },
    },
    { title: 'Has', kind: 'number', cell: ({ holds }: DeviceLoss) => String(holds) },
    { title: 'Still to receive', cell: (loss: DeviceLoss) => waitsText(loss) },
    { title: 'Readers left', kind: 'number', cell: (loss: DeviceLoss) => readersText(loss, paper) },
    {
      title: 'Seen',
      cell: ({ connected, last_seen }: DeviceLoss) =>
        connected ? 'connected' : last_seen === undefined ? 'not yet' : <Ago time={last_seen} />,
    },
  ] as const
}
