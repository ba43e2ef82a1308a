/** Backs up a profile at once, and shows how far it is. */

import type { BegunJob } from '../../../api.ts'
import { useDo } from '../ask.ts'
import { begin, begun, goesOn } from '../begun.ts'
import { Button, type ButtonKind } from '../parts/button.tsx'
import { countText } from '../parts/format.ts'
import { Progress } from '../parts/progress.tsx'
import { useStore } from '../store.ts'

/** The backup of a profile that somebody began by hand, while it goes on. */
export function useBackup(profile: string): BegunJob | undefined {
  return useStore(begun).find((job) => job.method === 'backupProfile' && job.title === profile && goesOn(job))
}

/** Begins it; what comes of it is said when it has ended. */
export async function beginBackup(profile: string): Promise<void> {
  await begin({ title: profile, backupProfile: { profile, force: true, instead: {} } })
}

/** The button, and the bar in its place. */
export function BackUpNow(props: {
  readonly profile: string
  readonly kind?: ButtonKind
  readonly words: string
}) {
  const { profile } = props
  const job = useBackup(profile)
  const { isBusy, run } = useDo(() => beginBackup(profile))
  if (job === undefined)
    return (
      <Button kind={props.kind ?? 'plain'} onClick={run} busy={isBusy}>
        {props.words}
      </Button>
    )
  const files = job.status !== undefined && 'files_done' in job.status ? job.status.files_done : undefined
  return (
    <Progress
      label={`Backup of ${profile}`}
      share={job.percent_done === 0 ? undefined : job.percent_done}
      words={files === undefined ? 'begins' : countText(files, 'file')}
    />
  )
}
