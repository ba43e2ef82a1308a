/** Where to restore, and what becomes of files that are there. */

import { useId, useState } from 'preact/hooks'
import type { DeviceInfo, Overwrite, SnapshotInfo } from '../../../api.ts'
import { call } from '../api.ts'
import { useDo } from '../ask.ts'
import { begin } from '../begun.ts'
import { useLive } from '../live.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { parentOf, shown } from './paths.ts'
import {
  freshTarget,
  orderParams,
  type Restorable,
  type RestoreChoice,
  restoreParams,
  restorers,
  targetFault,
} from './restore-plan.ts'
import { orderSentence } from './words.ts'

const OVERWRITES: readonly { readonly value: Overwrite; readonly text: string }[] = [
  { value: 'never', text: 'stay as they are' },
  { value: 'if-newer', text: 'are replaced where the backup is newer' },
  { value: 'if-changed', text: 'are replaced where they differ' },
]

/** The dialog. @param info - of the snapshot, where it is known */
export function RestoreDialog(props: {
  readonly what: Restorable
  readonly info: SnapshotInfo | undefined
  /** For people. */
  readonly name: string
  readonly onClose: () => void
}) {
  const { what, info, name, onClose } = props
  const { status } = useLive()
  const [choice, setChoice] = useState<RestoreChoice>(() => ({
    place: 'new',
    target: freshTarget(status?.store.path ?? '', Date.now()),
    overwrite: 'never',
    verify: false,
    device: '',
  }))
  const [isTried, setTried] = useState(false)
  const change = (more: Partial<RestoreChoice>): void => setChoice({ ...choice, ...more })
  const fault = choice.place === 'new' ? targetFault(choice.target) : undefined
  const parent = shown(parentOf(what.path))
  const others = restorers(status?.devices ?? [])
  const order = useDo(async () => {
    const device = choice.device === '' ? others[0]?.id : choice.device
    if (device === undefined) throw new Error('There is no other device that could restore it.')
    const made = await call('restoreOn', orderParams(what, device))
    onClose()
    return orderSentence(made)
  })
  const restore = useDo(async () => {
    const target = choice.place === 'new' ? choice.target : parent
    await begin({ title: `${name} to ${target}`, restore: restoreParams(what, choice) })
    onClose()
  })
  const press = (): void => {
    setTried(true)
    if (fault !== undefined) return
    if (choice.place === 'device') order.run()
    else restore.run()
  }
  return (
    <Dialog
      title={`Restore ${name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="main" icon="up" busy={order.isBusy || restore.isBusy} onClick={press}>
            Restore
          </Button>
        </>
      }
    >
      <Places
        choice={choice}
        change={change}
        fault={isTried ? fault : undefined}
        original={info?.device === status?.device.id ? parent : undefined}
        others={others}
      />
      {choice.place === 'device' ? (
        <p class="hint">It restores into a fresh directory of its own, and may ask its person first.</p>
      ) : (
        <Existing choice={choice} change={change} />
      )}
    </Dialog>
  )
}

/** What becomes of what is there. */
function Existing(props: {
  readonly choice: RestoreChoice
  readonly change: (more: Partial<RestoreChoice>) => void
}) {
  const { choice, change } = props
  return (
    <>
      <label class="field">
        Files that are there already
        <select
          value={choice.overwrite}
          onChange={(event) => change({ overwrite: event.currentTarget.value as Overwrite })}
        >
          {OVERWRITES.map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={choice.verify}
          onChange={(event) => change({ verify: event.currentTarget.checked })}
        />
        Read every file back afterwards
      </label>
      <p class="hint">
        Nothing is removed. Owners, permissions and times come back as far as this user may set them.
      </p>
    </>
  )
}

function Places(props: {
  readonly choice: RestoreChoice
  readonly change: (more: Partial<RestoreChoice>) => void
  readonly fault: string | undefined
  /** Where it was, on this device. */
  readonly original: string | undefined
  /** Devices that could be asked. */
  readonly others: readonly DeviceInfo[]
}) {
  const { choice, change, fault, original, others } = props
  const id = useId()
  return (
    <fieldset class="places">
      <legend>Where to</legend>
      <label class="check">
        <input
          type="radio"
          name={id}
          checked={choice.place === 'new'}
          onChange={() => change({ place: 'new' })}
        />
        Into a directory of this device:
      </label>
      <input
        type="text"
        aria-label="Directory"
        aria-invalid={fault !== undefined}
        aria-describedby={`${id}-fault`}
        value={choice.target}
        disabled={choice.place !== 'new'}
        spellcheck={false}
        onInput={(event) => change({ target: event.currentTarget.value })}
      />
      <p id={`${id}-fault`} class="fault" role="alert">
        {fault}
      </p>
      {original !== undefined && (
        <label class="check">
          <input
            type="radio"
            name={id}
            checked={choice.place === 'original'}
            onChange={() => change({ place: 'original' })}
          />
          <span>
            Where it was: <code>{original}</code>
          </span>
        </label>
      )}
      {others.length > 0 && (
        <>
          <label class="check">
            <input
              type="radio"
              name={id}
              checked={choice.place === 'device'}
              onChange={() => change({ place: 'device' })}
            />
            On another device:
          </label>
          <select
            aria-label="Other device"
            disabled={choice.place !== 'device'}
            value={choice.device}
            onChange={(event) => change({ device: event.currentTarget.value })}
          >
            {others.map((device) => (
              <option key={device.id} value={device.id}>
                {device.name}
              </option>
            ))}
          </select>
        </>
      )}
    </fieldset>
  )
}
