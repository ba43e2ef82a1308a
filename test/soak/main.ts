/** `npm run soak -- --minutes M --seed S`: the long form of soak.test.ts (README.md). */

import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { mebibytes } from './health.ts'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
})
const say = (line: string) => void process.stdout.write(`${line}\n`)
say(`seed ${values.seed}, ${values.minutes} minutes`)
const report = await soak({ minutes: Number(values.minutes), seed: values.seed, tell: say })
const { rounds, backups, forgotten, kills, snapshots, restores, growth } = report
say(
  `${String(rounds)} rounds: ${String(backups)} backups, ${String(forgotten)} forgotten, ${String(kills)} kills; ` +
    `${String(snapshots)} snapshots at the end, ${String(restores)} restores compared, all exact`,
)
for (const { name, samples, rssBytes, handles, faults } of growth) {
  const verdict = faults.length === 0 ? 'flat' : faults.join('; ')
  say(
    `${name}: memory ${rssBytes.map(mebibytes).join(' -> ')}, handles ${handles.join(' -> ')} ` +
      `(${String(samples)} looks): ${verdict}`,
  )
  if (faults.length > 0) process.exitCode = 1
}
