/** The formal model of deletion, in its short form: everything holds, and every rule is needed. */

import assert from 'node:assert/strict'
import { type Verdict, verdicts } from './campaign.ts'
import { missingTools } from './explore.ts'
import { MUTANTS, SCENES } from './scenes.ts'

const scenes = SCENES.filter((it) => it.isLong !== true)
const mutants = MUTANTS.filter((it) => it.isLong !== true)

describe('the model of deletion (protocol/spec/deletion-model.md)', function () {
  this.timeout(900_000)
  const found = new Map<string, Verdict>()

  before(async function () {
    const missing = await missingTools()
    if (missing !== undefined) {
      console.log(`    skipped: ${missing}`)
      this.skip()
    }
    // Two at a time; the cases below only say what came out.
    for await (const verdict of verdicts([...scenes, ...mutants], 2)) found.set(verdict.asked.name, verdict)
  })

  for (const { name, says } of scenes)
    it(`holds in ${name}: ${says}`, () => assert.equal(found.get(name)!.fault, undefined))

  for (const { name, breaks, says } of mutants)
    it(`breaks ${breaks} in ${name}: ${says}`, () => assert.equal(found.get(name)!.fault, undefined))
})
