/** Who has which snapshot, and what would be if a device died now (spec/activity.md §4). */

import { useEffect } from 'preact/hooks'
import type { CopiesView, DeviceLoss } from '../../../api.ts'
import { useAsk } from '../ask.ts'
import { type NewsKind, useNews } from '../news.ts'
import { LinkButton } from '../parts/button.tsx'
import { Badge, Failed, Screen, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Ago } from '../parts/value.tsx'
import { hrefOf, type Place } from '../router.ts'
import { SnapshotList } from './snapshot-list.tsx'
import { copiesSentence, lossText, readersText, waitsText } from './words.ts'

/** What changes who has what. */
const NEWS: readonly NewsKind[] = ['changed', 'held', 'audited', 'peer']

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
        <Table
          caption="What the loss of each device would mean"
          columns={columnsOf(value)}
          rows={value.devices}
          keyOf={({ device }) => device}
        />
      </Section>
      <SnapshotList place={place} devices={value.devices} news={news} />
    </Screen>
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
        const { sentence, tone } = lossText(loss)
        const badge = <Badge tone={tone}>{sentence}</Badge>
        return loss.lost + loss.too_few === 0 ? (
          badge
        ) : (
          <a
            href={hrefOf(['copies', loss.device])}
            aria-label={`${sentence} without ${loss.name}: show them`}
          >
            {badge}
          </a>
        )
      },
    },
    { title: 'Has', kind: 'number', cell: ({ holds }: DeviceLoss) => String(holds) },
    { title: 'Still to receive', cell: (loss: DeviceLoss) => waitsText(loss) },
    { title: 'Could read then', cell: (loss: DeviceLoss) => readersText(loss, paper) },
    {
      title: 'Seen',
      cell: ({ connected, last_seen }: DeviceLoss) =>
        connected ? 'connected' : last_seen === undefined ? 'not yet' : <Ago time={last_seen} />,
    },
  ] as const
}
