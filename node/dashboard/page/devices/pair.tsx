/** Pairing another device: what it shall be, the code to type there, and who came. */

import { useEffect, useState } from 'preact/hooks'
import type { Invited, InviteEvent, ParamsOf } from '../../../api.ts'
import { isAborted, stream } from '../api.ts'
import { refresh } from '../live.ts'
import { Button, LinkButton } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/screen.tsx'
import { hrefOf } from '../router.ts'
import { Invitation } from './invitation.tsx'
import { Wanted } from './wanted.tsx'

type Params = ParamsOf<'invite'>

/** The dialog, in three steps; closing it closes the invitation. */
export function Pair({ onClose }: { readonly onClose: () => void }) {
  const [params, setParams] = useState<Params>()
  const { invitation, wrongTries, invited, error } = useInvitation(params)
  const again = (): void => setParams(undefined)
  if (invited !== undefined) return <Admitted invited={invited} onClose={onClose} />
  if (error !== undefined)
    return (
      <Dialog title="Nobody has joined" onClose={onClose}>
        <Failed error={error} again={again} />
      </Dialog>
    )
  if (params === undefined) return <Wanted onClose={onClose} onChosen={setParams} />
  return (
    <Dialog
      title={`Pair a ${params.role}`}
      onClose={onClose}
      actions={<Button onClick={onClose}>Close the invitation</Button>}
    >
      {invitation === undefined ? (
        <p role="status">Opening an invitation…</p>
      ) : (
        <Invitation invitation={invitation} wrongTries={wrongTries} />
      )}
    </Dialog>
  )
}

/** What is known of an invitation that is open. */
interface Standing {
  readonly invitation?: Extract<InviteEvent, { message_type: 'invitation' }>
  readonly wrongTries?: { readonly left: number }
  readonly invited?: Invited
  readonly error?: Error
}

/** Opens an invitation for as long as it is shown. @param params - undefined: not yet */
function useInvitation(params: Params | undefined): Standing {
  const [standing, setStanding] = useState<Standing>({})
  useEffect(() => {
    setStanding({})
    if (params === undefined) return
    const end = new AbortController()
    const add = (news: Standing): void => setStanding((old) => ({ ...old, ...news }))
    const onEvent = (event: InviteEvent): void =>
      add(event.message_type === 'invitation' ? { invitation: event } : { wrongTries: { left: event.left } })
    stream('invite', params, onEvent, { signal: end.signal }).then(
      (invited) => {
        add({ invited })
        void refresh()
      },
      (error: unknown) => {
        if (!isAborted(error)) add({ error: error as Error })
      },
    )
    return () => {
      end.abort()
    }
  }, [params])
  return standing
}

/** Who came; the words show that nobody stood between. */
function Admitted({ invited, onClose }: { readonly invited: Invited; readonly onClose: () => void }) {
  const { name, role, device, check_words: words } = invited
  return (
    <Dialog
      title={`${name} has joined as ${role}`}
      onClose={onClose}
      actions={
        <>
          <LinkButton href={hrefOf(['devices', 'remove', device])}>The words differ</LinkButton>
          <Button kind="main" onClick={onClose}>
            The words are the same
          </Button>
        </>
      }
    >
      <p>The other device shows three words. They must be these:</p>
      <p class="code">{words.join(' ')}</p>
      <p class="hint">
        Other words mean that somebody else has used the code: then remove that device again. On the new one,{' '}
        <code>cellar start</code> runs its node: without it, it holds and sends nothing.
      </p>
    </Dialog>
  )
}
