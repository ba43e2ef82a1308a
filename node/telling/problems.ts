/** What telling knows that `status` should say: silences, profiles that lag, tasks and hooks that failed. */

import type { Problem } from '../api.ts'
import type { TellingStatus } from '../api-telling.ts'
import { spanInWords } from '../deletion/time-span.ts'
import type { NodeParts } from '../parts.ts'
import { copiesOf, fewCopiesCondition, lateCondition, silenceCondition } from './conditions.ts'
import type { TaskRecord } from './records.ts'
import { silentDevices } from './signs.ts'

/** How hooks fared, and who is silent. */
export function tellingStatus(parts: NodeParts): TellingStatus {
  return { hooks: parts.telling.hookStatus(), silent: silentDevices(parts) }
}

/** The problems of these. */
export function tellingProblems(parts: NodeParts, { hooks, silent }: TellingStatus): Problem[] {
  const nowMs = parts.world.clock.nowMs()
  const problems: Problem[] = [...profileProblems(parts, nowMs)]
  for (const one of silent) {
    const { title, remedy } = silenceCondition(one, nowMs)
    problems.push({
      level: 'warning',
      code: 'PEER_GONE',
      message: title,
      ...(remedy !== undefined && { remedy }),
    })
  }
  for (const { name, message } of hooks) {
    if (message === undefined) continue
    const remedy = `cellar hook test ${name}`
    problems.push({ level: 'warning', code: 'HOOK_FAILED', message, remedy })
  }
  return problems
}

function profileProblems(parts: NodeParts, nowMs: number): Problem[] {
  const { settings, telling, ledger, signer } = parts
  const self = ledger.nameOf(signer.device)
  const { profiles } = settings.current
  const failed = telling.records.tasks.entries().flatMap(([id, record]) => taskProblem(id, record, nowMs))
  const problems: Problem[] = failed
    .filter(({ profile }) => profile === undefined || profiles.some(({ name }) => name === profile))
    .map(({ profile: _profile, ...problem }) => problem)
  for (const profile of profiles) {
    const record = telling.records.tasks.get(`backup/${profile.name}`)
    if (record === undefined) continue
    for (const { title, remedy } of lateCondition(profile, record, self, nowMs))
      problems.push({
        level: 'warning',
        code: 'BACKUP_LATE',
        message: title,
        ...(remedy !== undefined && { remedy }),
      })
    for (const { title, remedy } of fewCopiesCondition(
      profile,
      record,
      copiesOf(parts, record.root),
      self,
      nowMs,
    ))
      problems.push({
        level: 'warning',
        code: 'COPIES_MISSING',
        message: title,
        ...(remedy !== undefined && { remedy }),
      })
  }
  return problems
}

/** What was asked for by hand, without a profile, was told to whoever asked. */
function taskProblem(
  id: string,
  record: TaskRecord,
  nowMs: number,
): (Problem & { readonly profile?: string })[] {
  const [task = '', ...rest] = id.split('/')
  const profile = rest.length === 0 ? undefined : rest.join('/')
  const { lastOutcome, lastMs, code, message } = record
  const isByHand = task === 'backup' && profile === undefined
  if (isByHand || lastOutcome === 'done' || lastOutcome === 'put-off' || code === 'ABORTED') return []
  const what = profile === undefined ? `the last ${task}` : `the last ${task} of "${profile}"`
  const ago = `${spanInWords(Math.max(0, nowMs - lastMs))} ago`
  const said = message === '' ? '' : `: ${message.split('\n')[0] ?? ''}`
  const isFailed = lastOutcome === 'failed'
  return [
    {
      level: isFailed && task === 'backup' ? 'error' : 'warning',
      code: code === '' ? 'SOURCE_UNREADABLE' : code,
      message: `${what} ${isFailed ? 'failed' : 'left something out'} ${ago}${said}`,
      remedy: profile === undefined ? `cellar ${task}` : `cellar backup --profile ${profile}`,
      ...(profile !== undefined && { profile }),
    },
  ]
}
