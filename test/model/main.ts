/**
 * `npm run model`: explores the formal model of deletion, and shows that each rule is needed
 * (protocol/spec/deletion-model.md). `npm run model:long` adds the scenes that take long.
 *
 * `-- NAME…` explores some scenes or mutants only, and prints the steps that break a mutant.
 */

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type Verdict, verdicts } from './campaign.ts'
import { missingTools } from './explore.ts'
import { MUTANTS, SCENES } from './scenes.ts'

const { values, positionals } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    traces: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
  },
  allowPositionals: true,
})

const traceLinesMax = 40
const missing = await missingTools()
if (missing === undefined) await main()
else {
  process.stderr.write(`${missing}\n`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const isAsked = ({ name }: { name: string }): boolean =>
    positionals.length === 0 || positionals.includes(name)
  const scenes = SCENES.filter(isAsked).filter(
    (it) => it.isLong !== true || values.long || positionals.length > 0,
  )
  const mutants = MUTANTS.filter(isAsked).filter(
    (it) => it.isLong !== true || values.long || positionals.length > 0,
  )
  if (scenes.length + mutants.length === 0)
    throw new TypeError(`no scene or mutant is called ${positionals.join(' ')}`)
  let failed = 0
  for await (const verdict of verdicts([...scenes, ...mutants], Number(values.jobs))) {
    tell(verdict)
    if (verdict.fault !== undefined) failed++
  }
  process.stdout.write(
    `\n${scenes.length} scenes, ${mutants.length} mutants, ${failed} not as they must be\n`,
  )
  if (failed > 0) process.exitCode = 1
}

function tell({ asked, explored, fault }: Verdict): void {
  const { states, seconds, broken, trace } = explored
  const figures = `${states.toLocaleString('en-US')} states, ${seconds.toFixed(1)} s`
  const result = broken === undefined ? 'holds' : `${trace.length} steps to: ${broken}`
  process.stdout.write(`${fault === undefined ? 'ok  ' : 'FAIL'} ${asked.name}: ${asked.says}\n`)
  process.stdout.write(`     ${figures}; ${result}\n`)
  if (fault !== undefined) process.stdout.write(`     ${fault}\n`)
  const isShown = values.traces || positionals.length > 0 || (fault !== undefined && broken !== undefined)
  if (!isShown) return
  for (const [at, step] of trace.slice(0, traceLinesMax).entries())
    process.stdout.write(`     ${String(at + 1).padStart(4)}. ${step}\n`)
  if (trace.length > traceLinesMax)
    process.stdout.write(`           and ${trace.length - traceLinesMax} more\n`)
}
