/** What is said when something that was begun has ended. Pure. */

import type { BegunJob } from '../../api.ts'
import { bytesText, countText } from './parts/format.ts'

/** What came of it. */
export interface EndedText {
  readonly words: string
  readonly isBad: boolean
}

/** In a line; undefined where there is nothing to say: who cancelled knows, and a restore is shown where files are. */
export function endedText(job: BegunJob): EndedText | undefined {
  const { error } = job
  if (job.method === 'restore' || error?.code === 'ABORTED') return undefined
  if (error !== undefined) return { words: error.message, isBad: true }
  if (job.summary === undefined) return undefined
  switch (job.method) {
    case 'backupProfile': {
      const { files_new, files_changed, data_added_packed } = job.summary
      const unread =
        job.problem_count === 0 ? '' : `; ${countText(job.problem_count, 'file')} could not be read`
      const files = countText(files_new + files_changed, 'file')
      const words = `Backed up ${job.title}: ${files} new or changed, ${bytesText(data_added_packed)} stored${unread}.`
      return { words, isBad: unread !== '' }
    }
    case 'scrub': {
      const { bytes_read, chunks_bad, chunks_mended, chunks_left } = job.summary
      const found =
        chunks_bad === 0
          ? 'all good'
          : `${countText(chunks_bad, 'chunk')} damaged, ${String(chunks_mended)} mended`
      return { words: `${bytesText(bytes_read)} read: ${found}.`, isBad: chunks_left > 0 }
    }
    case 'drill': {
      const { files_restored, files_failed, from } = job.summary
      const names = from.join(', ')
      const words =
        files_failed === 0
          ? `${countText(files_restored, 'file')} restored from ${names}.`
          : `${countText(files_failed, 'file')} could not be restored from ${names}.`
      return { words, isBad: files_failed > 0 }
    }
    case 'check': {
      const { num_errors, snapshots_checked } = job.summary
      const words =
        num_errors === 0
          ? `${countText(snapshots_checked, 'snapshot')} checked: whole.`
          : `${countText(num_errors, 'error')} found: cellar check --repair.`
      return { words, isBad: num_errors > 0 }
    }
  }
}
