/** Backs up a profile at once, and shows how far it is. */

import { useState } from 'preact/hooks'
import type { BackupEvent } from '../../../api.ts'
import { stream } from '../api.ts'
import { useDo } from '../ask.ts'
import { Button, type ButtonKind } from '../parts/button.tsx'
import { bytesText, countText } from '../parts/format.ts'
import { Progress } from '../parts/progress.tsx'

/** The button, and the bar in its place. */
export function BackUpNow(props: {
  readonly profile: string
  readonly kind?: ButtonKind
  readonly words: string
}) {
  const [event, setEvent] = useState<Extract<BackupEvent, { message_type: 'status' }>>()
  const { isBusy, run } = useDo(async () => {
    try {
      const done = await stream(
        'backupProfile',
        { profile: props.profile, force: true, instead: {} },
        (told) => {
          if (told.message_type === 'status') setEvent(told)
        },
      )
      const what = `${props.profile}: ${countText(done.files_new + done.files_changed, 'file')} new or changed, ${bytesText(done.data_added_packed)} stored`
      return done.unread.length === 0
        ? what
        : `${what}; ${countText(done.unread.length, 'file')} could not be read`
    } finally {
      setEvent(undefined)
    }
  })
  if (!isBusy)
    return (
      <Button kind={props.kind ?? 'plain'} onClick={run}>
        {props.words}
      </Button>
    )
  const share = event?.percent_done === 0 ? undefined : event?.percent_done
  return (
    <Progress
      label={`Backup of ${props.profile}`}
      share={share}
      words={event?.files_done === undefined ? 'begins' : countText(event.files_done, 'file')}
    />
  )
}
