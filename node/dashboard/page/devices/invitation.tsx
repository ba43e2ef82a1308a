/** An invitation that is open: the code to type on the other device, large enough to be read across a room. */

import type { InviteEvent } from '../../../api.ts'
import { Button } from '../parts/button.tsx'
import { timeText } from '../parts/format.ts'
import { Notice } from '../parts/screen.tsx'
import { say } from '../parts/toast.tsx'
import { useNow } from '../parts/value.tsx'
import { QrCode } from './qr-code.tsx'
import { addressText, joinCommand, minutesLeft } from './words.ts'

/** The code, what to type, and how it stands. */
export function Invitation(props: {
  readonly invitation: Extract<InviteEvent, { message_type: 'invitation' }>
  readonly wrongTries: { readonly left: number } | undefined
}) {
  const { code, token, addresses, expires_at: expires } = props.invitation
  const left = minutesLeft(expires, useNow())
  const places = addresses.map(addressText)
  const command = joinCommand(code, places[0])
  return (
    <div class="invitation">
      <div>
        <p>On the other device, install Rootcellar and run:</p>
        <p class={token ? 'code long' : 'code'} translate={false}>
          {code}
        </p>
        <pre>
          <code>{joinCommand(code)}</code>
        </pre>
        <Copy text={command} />
        {places.length > 0 && (
          <p class="hint">
            If it does not find this device, add{' '}
            {places.map((place, index) => (
              <span key={place}>
                {index > 0 && ' or '}
                <code>--at {place}</code>
              </span>
            ))}
            .
          </p>
        )}
      </div>
      <QrCode text={command} label="The same command, to scan" />
      <div class="invitation-state" role="status">
        <p>
          Waiting for it.{' '}
          {left === undefined ? 'The time is over.' : `Good once, for ${left} (until ${timeText(expires)}).`}
        </p>
        {props.wrongTries !== undefined && (
          <Notice tone="warn">
            A wrong code was tried.{' '}
            {props.wrongTries.left === 0
              ? 'This one is burnt.'
              : `After ${String(props.wrongTries.left)} more it is burnt.`}
          </Notice>
        )}
      </div>
    </div>
  )
}

function Copy({ text }: { readonly text: string }) {
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => say('Copied.'),
      () => say('The browser did not let me copy it.', 'bad'),
    )
  }
  return <Button onClick={copy}>Copy the command</Button>
}
