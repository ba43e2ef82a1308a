/** Another name for a device. */

import { useState } from 'preact/hooks'
import type { DeviceInfo } from '../../../api.ts'
import { call } from '../api.ts'
import { useDo } from '../ask.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'

/** Asks for the name. */
export function Rename({ device, onClose }: { readonly device: DeviceInfo; readonly onClose: () => void }) {
  const [name, setName] = useState(device.name)
  const { isBusy, run } = useDo(async () => {
    await call('deviceRename', { device: device.id, name: name.trim() })
    onClose()
    return `${device.name} is now ${name.trim()}.`
  })
  const isSame = name.trim() === '' || name.trim() === device.name
  return (
    <Dialog
      title={`Rename ${device.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="main" busy={isBusy} disabled={isSame} onClick={run}>
            Rename
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!isSame) run()
        }}
      >
        <label class="field">
          <span>Name</span>
          <input value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
      </form>
      <p class="hint">Every device learns the new name.</p>
    </Dialog>
  )
}
