/** The first screen: whether all is safe, what wants somebody, and every device in one line. */

import type { DeviceInfo, Status } from '../../../api.ts'
import { statusSentence, type Verdict } from '../../../status-sentence.ts'
import { titleText } from '../activity/words.ts'
import { useLive } from '../live.ts'
import { LinkButton } from '../parts/button.tsx'
import { sentenceText, shareText } from '../parts/format.ts'
import { Progress } from '../parts/progress.tsx'
import { Remedy } from '../parts/remedy.tsx'
import { Badge, Notice, Screen, Section, type Tone } from '../parts/screen.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { Ago, Bytes, useNow } from '../parts/value.tsx'
import { hrefOf } from '../router.ts'
import { attention, backupProfiles, type Matter } from './attention.ts'
import { BackUpNow } from './back-up.tsx'
import { type Days, daysShown, daysText } from './days.ts'
import { Strip } from './strip.tsx'
import { useDays } from './use-days.ts'

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
  const matters = attention(status)
  // The sentence has the gravest reason in full: a message of many reasons is shortened, and told once.
  const [gravest] = matters
  const isSuspect = gravest?.key.startsWith('suspicion-') === true && verdict === 'trouble'
  return (
    <Screen
      title="Home"
      sentence={isSuspect ? `The backups of ${status.suspicions[0]?.device ?? ''} look wrong.` : sentence}
      tone={TONES[verdict]}
      todo={todo === undefined ? undefined : <Remedy text={todo} />}
      actions={<Actions status={status} />}
    >
      <UnderWay status={status} />
      {matters.length > 0 && (
        <Section title="What needs you">
          {matters.map((matter) => (
            <MatterNotice key={matter.key} matter={matter} />
          ))}
        </Section>
      )}
      <Devices status={status} />
    </Screen>
  )
}

/** Few enough to be read at a glance; the rest is on the screen Activity. */
const buttonsMax = 3

function Actions({ status }: { readonly status: Status }) {
  const profiles = backupProfiles(status)
  return (
    <>
      {profiles.slice(0, buttonsMax).map((profile, at) => (
        <BackUpNow
          key={profile}
          profile={profile}
          kind={at === 0 ? 'main' : 'plain'}
          words={`Back up ${profile} now`}
        />
      ))}
      {status.mesh.devices === 1 ? (
        <LinkButton href="#/devices" kind={profiles.length === 0 ? 'main' : 'plain'}>
          Pair a device
        </LinkButton>
      ) : (
        <LinkButton href="#/files">Find a file</LinkButton>
      )}
    </>
  )
}

function UnderWay({ status }: { readonly status: Status }) {
  if (status.jobs.length === 0) return null
  return (
    <Section title="Under way" actions={<a href="#/activity">All activity</a>}>
      <ul class="jobs">
        {status.jobs.map(({ id, method, title, percent_done }) => (
          <li key={id}>
            <span>{titleText(method, title)}</span>
            <Progress label={titleText(method, title)} share={percent_done} />
          </li>
        ))}
      </ul>
    </Section>
  )
}

function MatterNotice({ matter }: { readonly matter: Matter }) {
  const { tone, text, todo, way, backup } = matter
  return (
    <Notice tone={tone}>
      <p>{sentenceText(text)}</p>
      {todo !== undefined && (
        <p class="hint">
          <Remedy text={todo} />
        </p>
      )}
      {(way !== undefined || backup !== undefined) && (
        <div class="actions">
          {backup !== undefined && <BackUpNow profile={backup} words={`Back up ${backup} now`} />}
          {way !== undefined && <LinkButton href={hrefOf(way.path, way.query ?? {})}>{way.words}</LinkButton>}
        </div>
      )}
    </Notice>
  )
}

function Devices({ status }: { readonly status: Status }) {
  const startOfToday = new Date(useNow()).setHours(0, 0, 0, 0)
  const days = useDays(startOfToday, status.snapshots.total)
  const { devices } = status
  return (
    <Section title="Devices" hint={`and the snapshots they made in ${String(daysShown)} days`}>
      <Table
        caption="Devices of the mesh, and the days on which they made snapshots"
        columns={columnsOf(days, startOfToday)}
        rows={[...devices].sort((one, other) => Number(other.self) - Number(one.self))}
        keyOf={({ id }) => id}
      />
    </Section>
  )
}

function columnsOf(days: Days | undefined, startOfToday: number): Column<DeviceInfo>[] {
  return [
    {
      title: 'Device',
      kind: 'main',
      cell: (device) => (
        <>
          <a href="#/devices" class="plain-link">
            {device.name}
          </a>
          <span class="beneath">{device.role}</span>
        </>
      ),
    },
    { title: 'Seen', cell: (device) => <Seen device={device} /> },
    {
      title: `Last ${String(daysShown)} days`,
      cell: (device) =>
        device.role === 'storer' ? (
          <span class="hint">stores for the others</span>
        ) : days === undefined ? (
          <span class="strip" />
        ) : (
          <span class="strip-cell" title={daysText(days.get(device.id))}>
            <Strip counts={days.get(device.id)} startOfToday={startOfToday} />
          </span>
        ),
    },
    {
      title: 'Last backup',
      cell: ({ last_backup }) => (last_backup === undefined ? '–' : <Ago time={last_backup} />),
    },
    {
      title: 'Holds',
      kind: 'number',
      cell: ({ snapshots_held, snapshots_total }) => (
        <span title={snapshots_total === 0 ? undefined : shareText(snapshots_held / snapshots_total)}>
          {snapshots_held} of {snapshots_total}
        </span>
      ),
    },
    {
      title: 'Space',
      kind: 'number',
      cell: ({ bytes_used }) => (bytes_used === undefined ? '–' : <Bytes value={bytes_used} />),
    },
  ]
}

function Seen({ device }: { readonly device: DeviceInfo }) {
  if (device.self) return <Badge tone="plain">this device</Badge>
  if (device.connected) return <Badge tone="good">connected</Badge>
  return device.last_seen === undefined ? <>not yet</> : <Ago time={device.last_seen} />
}
