/** Whether what is stored is good, here and with the others; and how it grows (spec/watching.md). */

import type { Status } from '../../../api.ts'
import { useLive } from '../live.ts'
import { agoText, countText, shareText } from '../parts/format.ts'
import { Notice, Screen, Section } from '../parts/screen.tsx'
import { Ago, useNow } from '../parts/value.tsx'
import { hrefOf } from '../router.ts'
import { Growth } from './growth.tsx'
import { Look } from './look.tsx'
import { auditText, drillText, healthSentence, scrubText } from './words.ts'

/** The screen at `#/health`. */
export function HealthScreen() {
  const { status } = useLive()
  const nowMs = useNow()
  if (status === undefined) return <Screen title="Health" />
  const { sentence, tone, todo } = healthSentence(status, (time) => agoText(time, nowMs))
  return (
    <Screen title="Health" sentence={sentence} tone={tone} todo={todo}>
      <Looks status={status} />
      <Growth />
    </Screen>
  )
}

function Looks({ status }: { readonly status: Status }) {
  const { watching, devices, device } = status
  const { scrub, audit, drill } = watching
  const self = devices.find(({ self }) => self)
  const mayRead = self?.capabilities.includes('read') === true
  const isAlone = devices.filter(({ removed }) => removed !== true).length < 2
  return (
    <Section
      title="Looking after what is stored"
      hint={`All of this happens by itself; ${device.name} does it at once when you ask. What you begin goes on when this page is closed.`}
    >
      <div class="looks">
        <Look
          title="Reading the store again"
          about="Disks rot silently. Every byte is read and compared with its hash; what is bad is fetched from another device."
          last={scrub.last_run}
          run={{ name: 'scrub', deed: 'Read everything now' }}
        >
          <p>{scrubText(watching)}</p>
          <p class="hint">
            {scrub.round_started !== undefined && `This round: ${shareText(scrub.round_percent)}. `}
            {scrub.last_round === undefined ? (
              'No round is complete yet.'
            ) : (
              <>
                Everything was read <Ago time={scrub.last_round} />.
              </>
            )}
          </p>
        </Look>
        <Look
          title="Proofs of the others"
          about="A device that says it holds a snapshot is asked for parts that only a holder can compute."
          last={audit.last_run}
        >
          <p>{auditText(watching)}</p>
          {audit.doubted.map(({ device: id, name, snapshots }) => (
            <Notice key={id} tone="warn">
              <p>
                {name} could not prove <a href={hrefOf(['copies', id])}>{countText(snapshots, 'snapshot')}</a>
                .
              </p>
            </Notice>
          ))}
        </Look>
        {mayRead && (
          <Look
            title="Restore drill"
            about="A few files drawn at random are restored from another device, as if this one had lost everything, and compared."
            last={drill?.last_run}
            run={{ name: 'drill', deed: 'Try a restore now', disabled: isAlone }}
          >
            <p>{isAlone ? 'There is no other device to restore from.' : drillText(watching)}</p>
          </Look>
        )}
        <Look
          title="Check"
          about="That everything a held snapshot needs is here and fits together, without reading every byte."
          last={status.schedule.find(({ name }) => name === 'check')?.last_run}
          run={{ name: 'check', deed: 'Check now' }}
        >
          <p>{checkText(status)}</p>
        </Look>
      </div>
    </Section>
  )
}

function checkText({ schedule }: Status): string {
  const task = schedule.find(({ name }) => name === 'check')
  if (task?.last_outcome === undefined) return 'The schedule has not checked yet.'
  return task.last_outcome === 'done'
    ? 'Everything was whole.'
    : (task.message ?? 'It did not come to its end.')
}
