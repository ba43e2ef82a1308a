/** One snapshot: what it is, who holds it, and what can be done with it. */

import { useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import type { SnapshotInfo, Status } from '../../../api.ts'
import { call } from '../api.ts'
import { useAsk, useDo } from '../ask.ts'
import { pathsOf } from '../files/files.tsx'
import { startOf, TOP } from '../files/paths.ts'
import { placeHref } from '../files/places.ts'
import { RestoreDialog } from '../files/restore-dialog.tsx'
import { Restores } from '../files/restores.tsx'
import { useLive } from '../live.ts'
import { Button, LinkButton } from '../parts/button.tsx'
import { countText, listText, timeText } from '../parts/format.ts'
import { Badge, Failed, Notice, Screen, Section } from '../parts/screen.tsx'
import { Bytes, Time } from '../parts/value.tsx'
import { hrefOf } from '../router.ts'
import { Forget } from './forget.tsx'
import { copiesText, copiesTone, holdersSentence } from './words.ts'

/** The screen at `#/snapshots/ID`. */
export function SnapshotView({ id }: { readonly id: string }) {
  const { status } = useLive()
  const { value, error, again } = useAsk('snapshots', {
    filter: { devices: [], paths: [], tags: [] },
    snapshots: [id],
    limit: 1,
  })
  const info = value?.[0]
  if (info === undefined || status === undefined)
    return (
      <Screen title="Snapshots" sentence={error === undefined ? undefined : 'This snapshot cannot be shown.'}>
        {error !== undefined && <Failed error={error} again={again} />}
      </Screen>
    )
  return (
    <Screen
      title="Snapshots"
      sentence={`${info.paths.join(', ') || 'A snapshot'} of ${info.device_name}, ${timeText(info.time)}.`}
      actions={<Actions info={info} status={status} />}
    >
      <Restores />
      <Section title="Copies">
        <Notice tone={copiesTone(info)}>
          <p>{holdersSentence(info)}</p>
          {!info.here && (
            <p class="hint">It is not whole on this device: looking inside reads from another.</p>
          )}
        </Notice>
      </Section>
      <Section title="About it">
        <Facts info={info} />
      </Section>
    </Screen>
  )
}

function Actions({ info, status }: { readonly info: SnapshotInfo; readonly status: Status }) {
  const [open, setOpen] = useState<'restore' | 'forget' | undefined>(undefined)
  const self = status.devices.find((device) => device.self)
  const isPinnedHere = info.pinned_by?.includes(status.device.name) === true
  const pin = useDo(async () => {
    const { refused } = await call(isPinnedHere ? 'unpin' : 'pin', { snapshots: [info.id] })
    const [no] = refused
    if (no !== undefined) throw new Error(no.message)
    return isPinnedHere ? 'No longer pinned by this device.' : 'Pinned: no rule of any device forgets it.'
  })
  const close = (): void => setOpen(undefined)
  const mayRead = self?.capabilities.includes('read') === true
  const mayForget = self?.capabilities.includes('forget') === true
  return (
    <>
      {mayRead && (
        <>
          <LinkButton kind="main" icon="files" href={placeHref('in', info.id, startOf(pathsOf(info)))}>
            Look inside
          </LinkButton>
          <Button icon="up" onClick={() => setOpen('restore')}>
            Restore all of it…
          </Button>
          <LinkButton href={hrefOf(['snapshots', info.id, 'changes'])}>What changed</LinkButton>
          <Button icon="pin" busy={pin.isBusy} onClick={pin.run}>
            {isPinnedHere ? 'Unpin' : 'Pin'}
          </Button>
        </>
      )}
      {mayForget && (
        <Button kind="danger" icon="trash" onClick={() => setOpen('forget')}>
          Forget…
        </Button>
      )}
      {open === 'restore' && (
        <RestoreDialog
          what={{ snapshot: info.id, path: TOP }}
          info={info}
          name="the whole snapshot"
          onClose={close}
        />
      )}
      {open === 'forget' && <Forget info={info} onClose={close} />}
    </>
  )
}

function Facts({ info }: { readonly info: SnapshotInfo }) {
  const { summary, tags = [], pinned_by: pinned, excludes = [], unread_count: unread = 0 } = info
  return (
    <dl class="facts">
      <Fact name="Id">
        <code>{info.id}</code>
      </Fact>
      <Fact name="Made">
        <Time time={info.time} />
        {info.username !== '' && ` by ${info.username} on ${info.hostname}`}
      </Fact>
      <Fact name="Copies">
        <Badge tone={copiesTone(info)}>{copiesText(info)}</Badge>
      </Fact>
      <Fact name="Tags">{tags.length === 0 ? 'none' : tags.join(', ')}</Fact>
      <Fact name="Pinned by">{pinned === undefined ? 'nobody' : listText(pinned)}</Fact>
      {summary !== undefined && (
        <>
          <Fact name="Files">
            {countText(summary.total_files_processed, 'file')},{' '}
            <Bytes value={summary.total_bytes_processed} />
          </Fact>
          <Fact name="New in it">
            {`${countText(summary.files_new, 'new file')}, ${countText(summary.files_changed, 'changed one')}, `}
            <Bytes value={summary.data_added_packed} /> stored
          </Fact>
        </>
      )}
      {unread > 0 && <Fact name="Not read">{countText(unread, 'file')} could not be read then</Fact>}
      {excludes.length > 0 && <Fact name="Left out">{excludes.join(', ')}</Fact>}
    </dl>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
