/** `npm run campaign:kill -- --kills N --seed S`: the long form of kill.test.ts (campaign.ts). */

import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { killCampaign } from './campaign.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
})
const say = (line: string) => void process.stdout.write(`${line}\n`)
say(`seed ${values.seed}`)
const { kills, hits } = await killCampaign({ kills: Number(values.kills), seed: values.seed, tell: say })
say(
  `${String(kills)} kills, ${String(hits)} of them in the middle of the work: nothing lost, nothing stored twice`,
)
