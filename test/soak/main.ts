/**
 * `npm run soak -- --minutes M --seed S`: the long form of soak.test.ts; `--simulated HOURS --runs N`: that of
 * day.test.ts (README.md).
 */

import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { day } from './day.ts'
import { mebibytes } from './health.ts'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    simulated: { type: 'string' },
    runs: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
})
const say = (line: string) => void process.stdout.write(`${line}\n`)
if (values.simulated === undefined) await real(Number(values.minutes), values.seed)
else await simulated(Number(values.simulated), Number(values.seed), Number(values.runs))

async function real(minutes: number, seed: string): Promise<void> {
  say(`seed ${seed}, ${String(minutes)} minutes`)
  const report = await soak({ minutes, seed, compareMinutes: minutes / 6, tell: say })
  const { rounds, backups, forgotten, kills, snapshots, early, restores, growth } = report
  say(
    `${String(rounds)} rounds: ${String(backups)} backups, ${String(forgotten)} forgotten, ${String(kills)} kills; ` +
      `${String(snapshots)} snapshots at the end; ${String(early)} restores compared on the way, ` +
      `${String(restores)} of ${String(2 * snapshots)} at the end, all exact`,
  )
  for (const { name, samples, rssBytes, handles, faults } of growth) {
    const verdict = faults.length === 0 ? 'flat' : faults.join('; ')
    say(
      `${name}: memory ${rssBytes.map(mebibytes).join(' -> ')}, handles ${handles.join(' -> ')} ` +
        `(${String(samples)} looks): ${verdict}`,
    )
    if (faults.length > 0) process.exitCode = 1
  }
}

/** Days one after another, of seeds that follow one another. */
async function simulated(hours: number, first: number, runs: number): Promise<void> {
  for (let seed = first; seed < first + runs; seed++) {
    const { violation, digest, counts, gapMs, realMs } = await day({
      seed: String(seed),
      hours,
      ...(values.trace && { show: say }),
    })
    const found = violation ?? `nothing wrong (${digest})`
    say(`seed ${String(seed)}, ${String(hours)} hours in ${(realMs / 1000).toFixed(0)} s: ${found}`)
    say(`  longest without a backup: ${String(gapMs / 60_000)} minutes`)
    say(`  ${[...counts].map(([kind, count]) => `${kind} ${String(count)}`).join(', ')}`)
    if (violation !== undefined) process.exitCode = 1
  }
}
