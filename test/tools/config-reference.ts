/** The reference of all settings in docs/config.md, made of their declaration; and the example that stands there. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pair } from '../../node/config/format.ts'
import { profileFields } from '../../node/config/profiles.ts'
import { retentionType } from '../../node/config/retention.ts'
import { type Field, type Fields, fieldsOf, type TableType } from '../../node/config/table.ts'
import { dashboardFields, rootFields } from '../../node/config/tables.ts'
import { emailTable, hookTable, metricsTable } from '../../node/config/tables-telling.ts'
import { drillTable, limitTable, scheduleTable, scrubTable } from '../../node/config/tables-upkeep.ts'
import { projectRoot, projectText } from './project.ts'

/** What stands before and behind the reference. */
export const MARKS = { begin: '<!-- reference -->', end: '<!-- end of reference -->' } as const

/** Tables under a heading of their own. */
const TABLES: readonly (readonly [title: string, fields: Fields<never>])[] = [
  ['Each of `limits`', limitTable.fields as Fields<never>],
  ['`[profile.NAME]`', profileFields as Fields<never>],
  [
    '`[retention]`, and without `every` and `devices` also `[profile.NAME.retention]`',
    (retentionType as TableType<never>).fields,
  ],
  ['`[schedule]`', scheduleTable.fields as Fields<never>],
  ['`[scrub]`', scrubTable.fields as Fields<never>],
  ['`[drill]`', drillTable.fields as Fields<never>],
  ['Each `[[hook]]`', hookTable.fields as Fields<never>],
  ['`[email]`', emailTable.fields as Fields<never>],
  ['`[metrics]`', metricsTable.fields as Fields<never>],
  ['`[dashboard]`', dashboardFields as Fields<never>],
]

const OWN_HEADING = new Set([
  'retention',
  'schedule',
  'scrub',
  'drill',
  'profile',
  'hook',
  'email',
  'metrics',
  'dashboard',
])

/** The reference, as Markdown. */
export function configReference(): string {
  const top = fieldsOf(rootFields).filter(({ key }) => !OWN_HEADING.has(key))
  return [
    ['### At the top', top] as const,
    ...TABLES.map(([title, fields]) => [`### ${title}`, fieldsOf(fields)] as const),
  ]
    .map(([title, fields]) => `${title}\n\n${tableOf(fields)}`)
    .join('\n\n')
}

function tableOf(fields: readonly Field<unknown>[]): string {
  const rows = fields.map((field) => {
    const value = field.isRequired === true ? 'must be there' : withoutText(field)
    const restart = field.needsRestart === true ? ' *Waits for a restart.*' : ''
    const example = field.example ?? field.type.example
    const wants =
      typeof example === 'object' && field.example === undefined
        ? ''
        : ` For example \`${cell(pair(field.key, example))}\`.`
    return `| \`${field.key}\` | ${cell(field.about)}${restart}${wants} | ${value} |`
  })
  return ['| key | what | without it |', '|---|---|---|', ...rows].join('\n')
}

function withoutText(field: Field<unknown>): string {
  if (field.without === undefined) return 'not set'
  const text = pair('x', field.type.write(field.without)).slice('x = '.length)
  return `\`${cell(text)}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** The complete example of the documentation: its longest block of TOML. */
export function exampleIn(markdown: string): string {
  const blocks = [...markdown.matchAll(/```toml\n([\s\S]*?)```/g)].map(([, text]) => text ?? '')
  return blocks.sort((a, b) => b.length - a.length)[0] ?? ''
}

/** A page with its reference made anew. */
export function withReference(markdown: string): string {
  const [before, rest] = markdown.split(MARKS.begin)
  const after = rest?.split(MARKS.end)[1]
  if (before === undefined || after === undefined)
    throw new TypeError('the page has no place for the reference')
  return `${before}${MARKS.begin}\n\n${configReference()}\n\n${MARKS.end}${after}`
}

// Run by itself it brings the page up to date.
if (process.argv[1]?.endsWith('config-reference.ts') === true)
  writeFileSync(join(projectRoot, 'docs/config.md'), withReference(projectText('docs/config.md')))
