/** Does the jobs of a backup in one thread: read, cut, name, and seal what is new (node/spec/backup.md §5, §6). */

import type { Bench } from './bench.ts'
import type { Job, JobResult } from './jobs.ts'
import { runBundle } from './run-bundle.ts'
import { runFile } from './run-file.ts'

/** Does one job; errors of the source are in the result, all others are thrown. */
export function runJob(bench: Bench, job: Job): Promise<JobResult> {
  return job.kind === 'bundle' ? runBundle(bench, job) : runFile(bench, job)
}
