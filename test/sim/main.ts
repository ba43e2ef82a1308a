/** `npm run sim`: runs seeds, each twice, and says what was exercised (README.md). */

import { parseArgs } from 'node:util'
import { hunt, MUTANTS } from './mutants.ts'
import { realMs } from './outside.ts'
import { Report } from './report.ts'
import { runSeed } from './run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    hours: { type: 'string' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
})

/** A campaign of fewer seeds need not have seen everything. */
const seedsForAll = 300

if (values.mutants) await huntAll(Number(values.seeds ?? '600'), values.only)
else if (values.seed !== undefined) await runOne(Number(values.seed), values.trace)
else await campaign()

async function runOne(seed: number, isTraced: boolean): Promise<void> {
  const { violation, digest, counts } = await runSeed(seed, isTraced ? { show: print } : {})
  if (!isTraced) print([...counts].map(([kind, count]) => `${kind} ${String(count)}`).join(', '))
  print(`seed ${String(seed)}: ${violation?.message ?? 'nothing wrong'} (${digest})`)
  if (violation !== undefined) process.exitCode = 1
}

async function campaign(): Promise<void> {
  const beganMs = realMs()
  const endMs = values.hours === undefined ? Infinity : beganMs + Number(values.hours) * 3_600_000
  const first = Number(values.from)
  const count = values.hours === undefined ? Number(values.seeds ?? '200') : Infinity
  const report = new Report()
  for (let seed = first; seed < first + count && realMs() < endMs; seed++) {
    const result = await runSeed(seed)
    report.add(result)
    if (result.violation !== undefined) {
      print(`seed ${String(seed)}: ${result.violation.message.split('\n')[0] ?? ''}`)
      if (values.stop) break
    }
    if (values.once) continue
    const again = await runSeed(seed)
    if (again.digest === result.digest) continue
    print(`seed ${String(seed)}: two runs differ, ${result.digest} and ${again.digest}`)
    process.exitCode = 1
  }
  for (const line of report.lines(realMs() - beganMs)) print(line)
  const missing = count >= seedsForAll && !values.stop ? report.unexercised() : []
  if (missing.length > 0) print(`never happened: ${missing.join(', ')}`)
  if (report.violations.length > 0 || missing.length > 0) process.exitCode = 1
}

async function huntAll(seedsMax: number, only: string): Promise<void> {
  for (const mutant of MUTANTS.filter(({ name }) => name.includes(only))) {
    const found = await hunt(mutant, seedsMax)
    if (found === undefined) process.exitCode = 1
    print(
      `${mutant.name}: ${found === undefined ? 'NOT FOUND' : `seed ${String(found.seeds)}, ${found.said}`}`,
    )
  }
}

function print(line: string): void {
  console.log(line)
}
