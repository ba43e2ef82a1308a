// Mocha's spec reporter that also writes the counts, as JSON, to the file named by MOCHA_COUNTS.
import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const file = process.env.MOCHA_COUNTS
    if (file === undefined) return
    runner.once('end', () => {
      const { passes: passed, failures: failed, pending } = this.stats
      writeFileSync(file, `${JSON.stringify({ passed, failed, pending })}\n`)
    })
  }
}
