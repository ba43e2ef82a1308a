/** The devices of the mesh: who they are, how they stand; pairing, renaming and removing them. */

import type { DeviceInfo, Status } from '../../../api.ts'
import { useLive } from '../live.ts'
import { LinkButton } from '../parts/button.tsx'
import { Badge, Empty, Screen, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Ago, Bytes } from '../parts/value.tsx'
import { hrefOf, type Place } from '../router.ts'
import { goToDevices } from './places.ts'
import { Pair } from './pair.tsx'
import { Remove } from './remove.tsx'
import { Rename } from './rename.tsx'
import { addressText, devicesSentence, mayAdmit, roleText, ROLES } from './words.ts'

/** The screen at `#/devices`; `#/devices/pair`, `#/devices/rename/ID`, `#/devices/remove/ID` open what they say. */
export function DevicesScreen({ place }: { readonly place: Place }) {
  const { status } = useLive()
  if (status === undefined) return <Screen title="Devices" />
  const { devices } = status
  const { sentence, isAlone } = devicesSentence(devices)
  const isKeeper = mayAdmit(devices)
  const members = devices.filter(({ removed }) => removed !== true)
  const removed = devices.filter((device) => device.removed === true)
  return (
    <Screen
      title="Devices"
      sentence={sentence}
      tone={isAlone ? 'warn' : 'plain'}
      todo={
        isKeeper
          ? isAlone && 'Pair another one: from then on each keeps copies for the other.'
          : 'A keeper pairs, renames and removes devices: do that on one of them.'
      }
      actions={
        isKeeper && (
          <LinkButton kind="main" icon="devices" href={hrefOf(['devices', 'pair'])}>
            Pair a device
          </LinkButton>
        )
      }
    >
      <Section title="Members">
        <Table
          caption="Devices of this mesh"
          columns={columns(status, isKeeper)}
          rows={members}
          keyOf={({ id }) => id}
        />
      </Section>
      <Roles />
      {removed.length > 0 && <Removed devices={removed} />}
      <Opened place={place} status={status} />
    </Screen>
  )
}

/** The dialog that the address names; none where the device is gone meanwhile. */
function Opened({ place, status }: { readonly place: Place; readonly status: Status }) {
  const [, what, id] = place.path
  const device = status.devices.find((one) => one.id === id && one.removed !== true)
  if (!mayAdmit(status.devices)) return null
  if (what === 'pair') return <Pair onClose={goToDevices} />
  if (device === undefined) return null
  if (what === 'rename') return <Rename device={device} onClose={goToDevices} />
  if (what === 'remove' && !device.self) return <Remove device={device} onClose={goToDevices} />
  return null
}

const columns = (status: Status, isKeeper: boolean) =>
  [
    {
      title: 'Device',
      kind: 'main',
      cell: ({ name }: DeviceInfo) => <span class="device-name">{name}</span>,
    },
    { title: 'Role', cell: (device: DeviceInfo) => <span class="device-role">{roleText(device)}</span> },
    { title: 'Seen', cell: seen },
    {
      title: 'Last backup',
      cell: ({ last_backup: time }: DeviceInfo) => (time === undefined ? '–' : <Ago time={time} />),
    },
    {
      title: 'Holds',
      kind: 'number',
      cell: (device: DeviceInfo) =>
        device.capabilities.includes('store')
          ? `${String(device.snapshots_held)} of ${String(device.snapshots_total)}`
          : '–',
    },
    { title: 'Space', kind: 'number', cell: (device: DeviceInfo) => space(device, status) },
    ...(isKeeper ? ([{ title: 'Change', kind: 'actions', cell: change }] as const) : []),
  ] as const

function seen(device: DeviceInfo) {
  const [address] = device.addresses
  return (
    <span class="two-lines">
      {device.self ? (
        <Badge tone="plain">this device</Badge>
      ) : device.connected ? (
        <Badge tone="good">connected</Badge>
      ) : device.last_seen === undefined ? (
        'never'
      ) : (
        <Ago time={device.last_seen} />
      )}
      {address !== undefined && <span class="address hint">{addressText(address)}</span>}
    </span>
  )
}

/** A device knows how full its own store is, and of others what they were given. */
function space(device: DeviceInfo, { store }: Status) {
  const { bytes_used: used, quota_bytes: quota } = device
  if (used === undefined && quota === undefined) return '–'
  return (
    <span class="two-lines">
      <span>
        {used === undefined ? 'gives ' : <Bytes value={used} />}
        {used !== undefined && quota !== undefined && ' of '}
        {quota !== undefined && <Bytes value={quota} />}
      </span>
      {device.self && store.bytes_free !== undefined && (
        <span class="hint">
          <Bytes value={store.bytes_free} /> free
        </span>
      )}
    </span>
  )
}

function change({ id, name, self }: DeviceInfo) {
  return (
    <span class="row-actions">
      <a href={hrefOf(['devices', 'rename', id])} aria-label={`Rename ${name}`}>
        Rename
      </a>
      {!self && (
        <a href={hrefOf(['devices', 'remove', id])} aria-label={`Remove ${name}`}>
          Remove
        </a>
      )}
    </span>
  )
}

/** What each role may do, for who pairs the next one. */
function Roles() {
  return (
    <Section title="What the roles mean">
      <dl class="roles">
        {ROLES.map(({ role, fits, may, mayNot }) => (
          <div key={role}>
            <dt>{role}</dt>
            <dd class="hint">{fits}</dd>
            <dd>{may}</dd>
            <dd>{mayNot}</dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}

function Removed({ devices }: { readonly devices: readonly DeviceInfo[] }) {
  return (
    <Section title="Removed" hint="No members any more. Their snapshots stay until somebody forgets them.">
      <Empty>{devices.map(({ name }) => name).join(', ')}</Empty>
    </Section>
  )
}
