/** Removing a device: what that means, before it is done. */

import { useState } from 'preact/hooks'
import type { DeviceInfo } from '../../../api.ts'
import { call } from '../api.ts'
import { useAsk, useDo } from '../ask.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Icon } from '../parts/icon.tsx'
import { Failed } from '../parts/screen.tsx'
import { type Consequence, consequences, isGrave } from './words.ts'

/** Says what would be so, and asks. */
export function Remove({ device, onClose }: { readonly device: DeviceInfo; readonly onClose: () => void }) {
  // Counted once: what is agreed to must not change under the button.
  const copies = useAsk('copies', { incomplete: false, limit: 0 }, { live: false })
  const prune = useAsk('prune', { dryRun: true, unfinished: false }, { live: false })
  const [isAgreed, setAgreed] = useState(false)
  const { isBusy, run } = useDo(async () => {
    const { vault_changed } = await call('deviceRemove', { device: device.id })
    onClose()
    return vault_changed === false
      ? `${device.name} is no member any more. The vault key was not changed, as this device lacks the newest: run "cellar key change" on another keeper.`
      : `${device.name} is no member any more.`
  })
  const error = copies.error ?? prune.error
  const loss = copies.value?.devices.find((one) => one.device === device.id)
  const all =
    copies.value === undefined || prune.value === undefined
      ? undefined
      : consequences(device, loss, prune.value)
  const mayGo = all !== undefined && (!isGrave(all) || isAgreed)
  return (
    <Dialog
      title={`Remove ${device.name} for good?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" busy={isBusy} disabled={!mayGo} onClick={run}>
            Remove {device.name}
          </Button>
        </>
      }
    >
      <p>It is shut out as soon as another device hears of it. This cannot be undone.</p>
      {error !== undefined ? (
        <Failed
          error={error}
          again={() => {
            copies.again()
            prune.again()
          }}
        />
      ) : all === undefined ? (
        <p class="hint" role="status">
          Counting what that would mean…
        </p>
      ) : (
        <Meaning all={all} />
      )}
      {all !== undefined && isGrave(all) && (
        <label class="check">
          <input
            type="checkbox"
            checked={isAgreed}
            onChange={(event) => setAgreed(event.currentTarget.checked)}
          />
          <span>I know that this is lost, and remove it all the same.</span>
        </label>
      )}
    </Dialog>
  )
}

const MARKS = { plain: 'next', warn: 'warning', bad: 'bad' } as const
const WORDS = { plain: undefined, warn: 'Mind: ', bad: 'Loss: ' } as const

function Meaning({ all }: { readonly all: readonly Consequence[] }) {
  return (
    <ul class="meaning">
      {all.map(({ tone, text }) => (
        <li key={text} class={tone}>
          <Icon name={MARKS[tone]} />
          <span>
            {WORDS[tone] !== undefined && <strong>{WORDS[tone]}</strong>}
            {text}
          </span>
        </li>
      ))}
    </ul>
  )
}
