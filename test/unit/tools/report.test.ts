import assert from 'node:assert/strict'
import { median } from '../../bench/measure.ts'
import { markdown, type Report } from '../../bench/report.ts'

const run = (wallS: number): { wallS: number; cpuS: number; memoryBytes: number } => ({
  wallS,
  cpuS: wallS * 2,
  memoryBytes: 100 * 1024 * 1024,
})

const report: Report = {
  machine: {
    date: '2026-11-23T00:00:00Z',
    cpu: 'a processor',
    cores: 2,
    memoryBytes: 8 * 2 ** 30,
    kernel: 'Linux 6',
    node: '20.20.2',
    versions: { cellar: 'cellar 0.1.0', other: 'other 1' },
  },
  scale: 1,
  runs: 3,
  rows: [
    {
      dataset: 'text',
      scenario: 'restore',
      tool: 'cellar',
      runs: [run(2), run(1), run(3)],
      storeBytes: 5 * 1024 * 1024,
    },
    { dataset: 'text', scenario: 'restore', tool: 'other', runs: [run(5), run(9), run(4)] },
  ],
  notes: ['one more thing'],
}

describe('the report of the benchmark', () => {
  it('takes the middle of the runs', () => {
    assert.equal(median([3, 1, 2]), 2)
    assert.equal(median([4, 1, 2, 3]), 2.5)
  })

  it('shows medians, spread, and the others against ours', () => {
    const text = markdown(report)
    assert.ok(text.includes('| cellar | 2.00 | 1.00 – 3.00 |  | 4.00 | 100 | 5 |'), text)
    assert.ok(text.includes('| other | 5.00 | 4.00 – 9.00 | 2.50 x | 10.00 | 100 |  |'), text)
    assert.ok(text.includes('* one more thing'))
  })
})
