import { type Command, InvalidArgumentError } from 'commander'
import {
  CellarError,
  type Forgotten,
  type ForgetParams,
  type GroupField,
  type RetentionRules,
} from '../../node/client.ts'
import { count } from '../output/format.ts'
import type { Session } from '../session.ts'
import { calendarSpan, collect, keepCount } from '../values.ts'
import { type Define, examples, type FilterOptions, filterOf, filterOptions, GROUP } from './command.ts'
import { printGroups } from './forget-output.ts'
import { prune } from './prune.ts'
import { idList, reportRefused } from './refused.ts'

interface Options extends FilterOptions {
  readonly keepLast?: number
  readonly keepHourly?: number
  readonly keepDaily?: number
  readonly keepWeekly?: number
  readonly keepMonthly?: number
  readonly keepYearly?: number
  readonly keepWithin?: string
  readonly keepWithinHourly?: string
  readonly keepWithinDaily?: string
  readonly keepWithinWeekly?: string
  readonly keepWithinMonthly?: string
  readonly keepWithinYearly?: string
  readonly keepTag?: readonly string[]
  readonly groupBy?: readonly GroupField[]
  readonly dryRun?: boolean
  readonly prune?: boolean
  readonly profile?: string
}

const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

/** `cellar forget`: by ids, or by rules. */
export const defineForget: Define = (program, act) => {
  const command = program
    .command('forget')
    .helpGroup(GROUP.forget)
    .summary('forget snapshots: named ones, or those that rules do not keep')
    .description(
      'Forgets the snapshots named, or, with --keep-… rules, all that no rule keeps, in each group of device and paths. Whatever the rules say, pinned snapshots stay, and so do the newest and those younger than a day. What is forgotten goes to the trash on every device, and can be brought back (cellar undelete) until its space is freed: after the hold window, and never before every device that leans on it knows.',
    )
    .argument('[snapshot...]', 'these: ids, their beginnings, or latest')
  ruleOptions(command)
  filterOptions(command)
    .option(
      '--group-by <field,...>',
      "apply the rules to each group of snapshots with the same device, host, paths, tags; '' is one group (default: device,paths)",
      groupFields,
    )
    .option(
      '-P, --profile <name>',
      "only this device's snapshots of that profile; without rules, by those of the settings for it",
    )
    .option('-n, --dry-run', 'say what would be forgotten, and change nothing')
    .option('--prune', 'then free what can be freed')
    .action(act(forget))
  examples(
    command,
    'cellar forget 9958b48b',
    'cellar forget --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --dry-run',
    'cellar forget --profile photos --dry-run',
    'cellar forget --device laptop --keep-within 1y6m --keep-tag release',
  )
}

function ruleOptions(command: Command): void {
  command.option('--keep-last <n>', 'keep the newest n', keepCount)
  for (const period of PERIODS) {
    command.option(
      `--keep-${period} <n>`,
      `keep the first received of each of the newest n ${NAMES[period]} that have snapshots`,
      keepCount,
    )
  }
  command.option('--keep-within <span>', 'keep those within 1y6m7d12h of the newest', calendarSpan)
  for (const period of PERIODS)
    command.option(
      `--keep-within-${period} <span>`,
      `of those within the span, keep one of each of the ${NAMES[period]}`,
      calendarSpan,
    )
  command.option('--keep-tag <tag,...>', 'keep those with all of these tags (again: or those)', collect)
}

const NAMES = {
  hourly: 'hours',
  daily: 'days',
  weekly: 'weeks',
  monthly: 'months',
  yearly: 'years',
} as const

const FIELDS: readonly string[] = ['device', 'host', 'paths', 'tags'] satisfies GroupField[]

function groupFields(value: string): GroupField[] {
  const fields = value === '' ? [] : value.split(',')
  if (!fields.every(isField) || new Set(fields).size < fields.length)
    throw new InvalidArgumentError(`It must be of ${FIELDS.join(', ')}, each at most once.`)
  return fields
}

function isField(field: string): field is GroupField {
  return FIELDS.includes(field)
}

/** The rules that were given; counts of 0 are none. */
function rulesOf(options: Options): RetentionRules | undefined {
  const given: Record<keyof RetentionRules, unknown> = {
    last: options.keepLast,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
    within: options.keepWithin,
    withinHourly: options.keepWithinHourly,
    withinDaily: options.keepWithinDaily,
    withinWeekly: options.keepWithinWeekly,
    withinMonthly: options.keepWithinMonthly,
    withinYearly: options.keepWithinYearly,
    tags: options.keepTag?.map((list) => list.split(',')),
  }
  const rules = Object.entries(given).filter(([, rule]) => rule !== undefined && rule !== 0)
  return rules.length === 0 ? undefined : Object.fromEntries(rules)
}

/** Says whether a rule was given that keeps none. */
function hasZero(options: Options): boolean {
  return [options.keepLast, ...PERIODS.map((period) => options[COUNTS[period]])].includes(0)
}

const COUNTS = {
  hourly: 'keepHourly',
  daily: 'keepDaily',
  weekly: 'keepWeekly',
  monthly: 'keepMonthly',
  yearly: 'keepYearly',
} as const

function paramsOf(session: Session, snapshots: readonly string[], options: Options): ForgetParams {
  const rules = rulesOf(options)
  if (rules === undefined && snapshots.length === 0 && hasZero(options))
    throw new CellarError('USAGE', 'a rule of 0 keeps nothing: give another rule, or name the snapshots')
  if (snapshots.length > 0 && rules !== undefined)
    throw new CellarError('USAGE', 'snapshots are named and rules given: do one after the other')
  if (snapshots.length > 0 && options.profile !== undefined)
    throw new CellarError('USAGE', 'snapshots are named and a profile: leave one out')
  if (snapshots.length === 0 && rules === undefined && options.profile === undefined)
    throw new CellarError(
      'USAGE',
      'nothing says what to forget: name snapshots, or give a rule such as --keep-daily 7',
    )
  return {
    snapshots,
    filter: filterOf(session, options),
    ...(rules === undefined ? {} : { rules }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.groupBy === undefined ? {} : { groupBy: options.groupBy }),
    dryRun: options.dryRun === true,
  }
}

async function forget(
  session: Session,
  snapshots: readonly string[],
  options: Options,
): Promise<number | undefined> {
  const params = paramsOf(session, snapshots, options)
  session.kept = 'cellar trash shows what was forgotten already'
  const forgotten = await session.call('forget', params)
  if (!session.json) tell(session, params, forgotten)
  else session.print.json(!isByRules(params) ? forgotten : forgotten.groups)
  if (forgotten.waits_for_contact && forgotten.snapshot_ids.length > 0 && !params.dryRun)
    session.print.notice('no other device is in contact: they learn of it as soon as one is')
  if (options.prune === true && forgotten.snapshot_ids.length > 0)
    await prune(session, { dryRun: params.dryRun, unfinished: false })
  return reportRefused(session, 'forget', forgotten.snapshot_ids.length, forgotten.refused)
}

/** Says whether rules decide: those given, or those of the settings for a profile. */
function isByRules(params: ForgetParams): boolean {
  return params.rules !== undefined || params.profile !== undefined
}

function tell(session: Session, params: ForgetParams, forgotten: Forgotten): void {
  const { print } = session
  const { groups, snapshot_ids: ids } = forgotten
  if (isByRules(params)) printGroups(session, groups, params.dryRun)
  if (isByRules(params) && groups.length === 0) return print.info('No snapshot matches.')
  if (ids.length === 0 && forgotten.refused.length === 0) return print.info('Nothing is forgotten.')
  if (ids.length === 0) return
  const what = `${count(ids.length, 'snapshot')}: ${idList(ids)}`
  if (params.dryRun) return print.info(`Would forget ${what}. Nothing was changed.`)
  print.info(`Forgot ${what}.`)
  print.info('To bring one back while its space is not freed: cellar undelete ID (cellar trash lists them).')
}
