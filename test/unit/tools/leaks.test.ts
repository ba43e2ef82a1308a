import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { searchLeaks } from '../../tools/leaks.ts'
import { seeded } from '../../tools/seeded.ts'

describe('the search for leaks', () => {
  let base: string
  before(() => (base = mkdtempSync(join(tmpdir(), 'cellar-leaks-'))))
  after(() => rmSync(base, { recursive: true, force: true }))

  const secret = Buffer.from('quince marmalade')

  it('finds nothing in bytes of chance', () => {
    writeFileSync(join(base, 'noise'), seeded('leaks').bytes(9_000_000))
    const searched = searchLeaks(base, [secret])
    assert.deepEqual(searched, { files: 1, bytes: 9_000_000, leaks: [] })
  })

  for (const at of [0, 4 * 1024 * 1024 - 5, 8_999_984]) {
    it(`finds a text at ${at}, also across blocks`, () => {
      const bytes = seeded('leaks').bytes(9_000_000)
      secret.copy(bytes, at)
      mkdirSync(join(base, 'deep'), { recursive: true })
      writeFileSync(join(base, 'deep', 'file'), bytes)
      const { leaks } = searchLeaks(base, [Buffer.from('something else'), secret])
      assert.deepEqual([...new Set(leaks.map((it) => it.file))], [join(base, 'deep', 'file')])
    })
  }

  it('finds a text in the name of a file', () => {
    writeFileSync(join(base, 'my quince marmalade.txt'), '')
    assert.equal(searchLeaks(base, [secret]).leaks.at(-1)?.found, 'quince marmalade')
  })
})
