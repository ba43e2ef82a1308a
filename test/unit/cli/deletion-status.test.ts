/** What `cellar status` says of deletion. */
import assert from 'node:assert/strict'
import { HOLD, LEANING } from './deletion-fixtures.ts'
import { cellar } from './fake-world.ts'
import { STATUS } from './fixtures.ts'

describe('cellar status', () => {
  it('tells of the trash, and for whom rules stand still', async () => {
    const status = {
      ...STATUS,
      trash: { snapshots: 2, waiting: [HOLD, LEANING, HOLD, LEANING] },
      suspicions: [{ device: 'laptop', since: '2026-02-28T12:00:00Z', message: 'most of it has changed' }],
      retention: {
        rules: '7 daily',
        profiles: [{ name: 'photos', rules: '2 last' }],
        every: '1d',
        devices: [],
        last_run: '2026-02-28T12:00:00Z',
      },
    }
    const { stdout } = await cellar(['status'], { handlers: { status: () => status } })
    const under = ' '.repeat(/^trash +/m.exec(stdout)?.[0].length ?? 0)
    const lines = [
      '2 snapshots can be brought back (cellar trash)',
      HOLD.message,
      LEANING.message,
      HOLD.message,
      'and 1 more reason to wait: cellar prune --explain',
    ]
    assert.ok(stdout.includes(lines.join(`\n${under}`)), stdout)
    assert.match(stdout, /\nrules +stand still for laptop since 2026-02-28 .*: most of it has changed\n/)
    assert.match(
      stdout,
      /\nretention +keeps 7 daily of all devices and 2 last of profile photos, every 1d; last run .*, none while/,
    )
    const { stdout: calm } = await cellar(['status'], { handlers: { status: () => STATUS } })
    assert.doesNotMatch(calm, /trash|rules|retention/)
  })
})
