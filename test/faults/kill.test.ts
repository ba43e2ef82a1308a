/** Kill -9 at any moment: nothing is lost, nothing is damaged, nothing is stored twice. */

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { killCampaign } from './campaign.ts'

const kills = 10

describe('kill -9 at any moment', function () {
  this.timeout(400_000)

  it(`of backups, replication and restores, ${String(kills)} times: the next finishes, nothing is lost`, async () => {
    const seed = process.env['CELLAR_SEED'] ?? String(randomInt(2 ** 31))
    process.stdout.write(`  (CELLAR_SEED=${seed}; more: npm run campaign:kill)\n`)
    let last = ''
    const tell = (line: string) => (last = line)
    const { hits } = await killCampaign({ kills, seed, tell }).catch((error: unknown) => {
      throw new Error(`seed ${seed}, ${last}`, { cause: error })
    })
    // Kills that came too late prove nothing: some must have met the work.
    assert.ok(hits >= kills / 3, `only ${String(hits)} kills came in time`)
  })
})
