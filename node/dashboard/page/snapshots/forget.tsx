/** Asks before a snapshot is forgotten, and says what that means. */

import type { SnapshotInfo } from '../../../api.ts'
import { call } from '../api.ts'
import { useAsk, useDo } from '../ask.ts'
import { Confirm } from '../parts/dialog.tsx'
import { timeText } from '../parts/format.ts'
import { goTo } from '../router.ts'
import { forgetWarning, forgottenText } from './words.ts'

/** The dialog. */
export function Forget({ info, onClose }: { readonly info: SnapshotInfo; readonly onClose: () => void }) {
  const { value: config } = useAsk('configShow', {}, { live: false })
  const window = config?.settings['hold_window']
  const forget = useDo(async () => {
    const filter = { devices: [], paths: [], tags: [] }
    const forgotten = await call('forget', { snapshots: [info.id], filter, dryRun: false })
    const text = forgottenText(forgotten)
    if (forgotten.refused.length > 0) throw new Error(text)
    goTo(['snapshots'])
    return text
  })
  return (
    <Confirm
      title={`Forget the snapshot of ${timeText(info.time)}?`}
      deed="Forget it"
      kind="danger"
      busy={forget.isBusy}
      onConfirm={forget.run}
      onClose={onClose}
    >
      <p>
        {info.paths.join(', ')} of {info.device_name}.
      </p>
      <p>{forgetWarning(info, typeof window === 'string' ? window : undefined)}</p>
    </Confirm>
  )
}
