/** What the new device shall be: its role, and how it gets its code. */

import { useState } from 'preact/hooks'
import type { ParamsOf, RoleName } from '../../../api.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Notice } from '../parts/screen.tsx'
import { ROLES, sizeBytes } from './words.ts'

const minuteMs = 60_000

/** How long an invitation may stand: a code that people type shorter than a token that a script takes. */
const LASTS = [
  [15 * minuteMs, '15 minutes'],
  [60 * minuteMs, 'an hour'],
  [24 * 60 * minuteMs, 'a day'],
] as const

/** Asks, then gives the parameters of the invitation. */
export function Wanted(props: {
  readonly onClose: () => void
  readonly onChosen: (params: ParamsOf<'invite'>) => void
}) {
  const [role, setRole] = useState<RoleName>('writer')
  const [mayForget, setMayForget] = useState(false)
  const [name, setName] = useState('')
  const [quota, setQuota] = useState('')
  const [isToken, setToken] = useState(false)
  const [ttlMs, setTtl] = useState<number>(LASTS[0][0])
  const [wrong, setWrong] = useState<string>()
  const choose = (): void => {
    const quotaBytes = quota.trim() === '' ? undefined : sizeBytes(quota)
    if (quota.trim() !== '' && quotaBytes === undefined)
      return setWrong('Space is a number with a unit, such as 500 GiB.')
    props.onChosen({
      ...{ role, ttlMs, token: isToken },
      mayForget: role === 'storer' && mayForget,
      ...(name.trim() !== '' && { name: name.trim() }),
      ...(quotaBytes !== undefined && { quotaBytes }),
    })
  }
  return (
    <Dialog
      title="Pair a device"
      onClose={props.onClose}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind="main" onClick={choose}>
            Show the code
          </Button>
        </>
      }
    >
      <form
        class="wanted"
        onSubmit={(event) => {
          event.preventDefault()
          choose()
        }}
      >
        <RoleChoice role={role} onRole={setRole} />
        {role === 'storer' && (
          <label class="check">
            <input
              type="checkbox"
              checked={mayForget}
              onChange={(event) => setMayForget(event.currentTarget.checked)}
            />
            <span>It may forget: it tidies up by its own rules, also while the others sleep.</span>
          </label>
        )}
        <label class="field">
          <span>Name (else it says its own)</span>
          <input value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <SpaceField
          quota={quota}
          wrong={wrong}
          onQuota={(typed) => {
            setQuota(typed)
            setWrong(undefined)
          }}
        />
        <CodeChoice ttlMs={ttlMs} onTtl={setTtl} isToken={isToken} onToken={setToken} />
      </form>
    </Dialog>
  )
}

function SpaceField(props: {
  readonly quota: string
  readonly wrong: string | undefined
  readonly onQuota: (typed: string) => void
}) {
  const { quota, wrong, onQuota } = props
  return (
    <>
      <label class="field">
        <span>Space it gives (else as much as it has)</span>
        <input
          value={quota}
          placeholder="500 GiB"
          aria-invalid={wrong !== undefined}
          onInput={(event) => onQuota(event.currentTarget.value)}
        />
      </label>
      {wrong !== undefined && (
        <div role="alert">
          <Notice tone="bad">{wrong}</Notice>
        </div>
      )}
    </>
  )
}

function CodeChoice(props: {
  readonly ttlMs: number
  readonly onTtl: (ms: number) => void
  readonly isToken: boolean
  readonly onToken: (isToken: boolean) => void
}) {
  return (
    <>
      <label class="field">
        <span>The code is good for</span>
        <select value={props.ttlMs} onChange={(event) => props.onTtl(Number(event.currentTarget.value))}>
          {LASTS.map(([ms, words]) => (
            <option key={ms} value={ms}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={props.isToken}
          onChange={(event) => props.onToken(event.currentTarget.checked)}
        />
        <span>A long one-time token in place of a code that people type: for a box without a screen.</span>
      </label>
    </>
  )
}

function RoleChoice(props: { readonly role: RoleName; readonly onRole: (role: RoleName) => void }) {
  return (
    <fieldset class="role-choice">
      <legend>What it shall be</legend>
      {ROLES.map(({ role, fits, may, mayNot }) => (
        <label key={role}>
          <input
            type="radio"
            name="role"
            value={role}
            checked={role === props.role}
            onChange={() => props.onRole(role)}
          />
          <span>
            <strong>{role}</strong> {fits}
            <span class="hint">
              {may} {mayNot}
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
