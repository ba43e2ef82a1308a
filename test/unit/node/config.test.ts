import assert from 'node:assert/strict'
import { CONFIG_DEFAULT, formatConfig, parseConfig } from '../../../node/config.ts'
import { withCode } from '../../support/mesh.ts'

const dayMs = 86_400_000
const parse = (text: string) => parseConfig(text, 'config.toml')

describe('settings of deletion', () => {
  it('are a week, a day and one snapshot where nothing is said', () => {
    const { holdWindowMs, floorAgeMs, floorNewest } = parse('')
    assert.deepEqual(
      { holdWindowMs, floorAgeMs, floorNewest },
      { holdWindowMs: 7 * dayMs, floorAgeMs: dayMs, floorNewest: 1 },
    )
  })

  it('are read as they are written', () => {
    const { holdWindowMs, floorAgeMs, floorNewest } = parse(
      'hold_window = "12h"\nfloor_age = "0s"\nfloor_newest = 0',
    )
    assert.deepEqual([holdWindowMs, floorAgeMs, floorNewest], [dayMs / 2, 0, 0])
  })

  it('come out of their text unchanged', () => {
    const config = { ...CONFIG_DEFAULT, holdWindowMs: 90 * 60_000, floorAgeMs: 0, floorNewest: 3 }
    assert.deepEqual(parse(formatConfig(config)), config)
    assert.match(formatConfig(CONFIG_DEFAULT), /hold_window = "7d"/)
  })

  it('name what is wrong with them', () => {
    for (const text of [
      'hold_window = 7',
      'hold_window = "a week"',
      'floor_age = "-1d"',
      'floor_newest = -1',
      'floor_newest = "1"',
    ])
      assert.throws(() => parse(text), withCode('CONFIG_INVALID'), text)
  })
})
