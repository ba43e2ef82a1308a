import assert from 'node:assert/strict'
import { CONFIG_DEFAULT, formatConfig, parseConfig } from '../../../../node/config.ts'
import { withCode } from '../../../support/mesh.ts'

const hourMs = 3_600_000

describe('settings of retention', () => {
  it('say what is kept, of whom and how often', () => {
    const text =
      '[retention]\nkeep_daily = 7\nkeep_weekly = 4\nkeep_last = -1\nkeep_within = "1y2m"\n' +
      'keep_tags = ["a,b", "c"]\nevery = "12h"\ndevices = ["laptop"]\n'
    assert.deepEqual(parseConfig(text, 'config.toml').retention, {
      rules: { last: -1, daily: 7, weekly: 4, within: '1y2m', tags: [['a', 'b'], ['c']] },
      everyMs: 12 * hourMs,
      devices: ['laptop'],
    })
  })

  it('forget nothing by themselves where they say nothing', () => {
    assert.equal(parseConfig('mdns = true\n', 'config.toml').retention, undefined)
    assert.equal(CONFIG_DEFAULT.retention, undefined)
  })

  it('take a day between two rounds, and all devices, where they do not say', () => {
    const { retention } = parseConfig('[retention]\nkeep_last = 3\n', 'config.toml')
    assert.equal(retention?.everyMs, 24 * hourMs)
    assert.deepEqual(retention.devices, [])
  })

  it('read back as they were written', () => {
    const text = '[retention]\nkeep_monthly = 12\nkeep_tags = ["x"]\nevery = "2d"\ndevices = ["a", "b"]\n'
    const config = parseConfig(text, 'config.toml')
    assert.deepEqual(parseConfig(formatConfig(config), 'config.toml'), config)
  })

  const wrong: Readonly<Record<string, string>> = {
    'no rule at all': '[retention]\nevery = "1d"\n',
    'rules that keep nothing': '[retention]\nkeep_daily = 0\n',
    'half a snapshot': '[retention]\nkeep_daily = 1.5\n',
    'fewer than none': '[retention]\nkeep_daily = -2\n',
    'a count in quotes': '[retention]\nkeep_daily = "7"\n',
    'a duration that is none': '[retention]\nkeep_within = "a week"\n',
    'a round every minute': '[retention]\nkeep_last = 1\nevery = "0h"\n',
    'a round every month': '[retention]\nkeep_last = 1\nevery = "1m"\n',
    'an unknown key': '[retention]\nkeep_dayly = 7\n',
    'no table': 'retention = 7\n',
    'a device that is no text': '[retention]\nkeep_last = 1\ndevices = [7]\n',
  }
  for (const [what, text] of Object.entries(wrong)) {
    it(`refuse ${what}`, () => {
      assert.throws(() => parseConfig(text, 'config.toml'), withCode('CONFIG_INVALID'))
    })
  }
})
