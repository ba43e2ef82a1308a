import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  ERRORS,
  errorCodeFromWire,
  errorCodeToWire,
  isCellarError,
  openHead,
} from '../../../protocol/index.ts'
import * as protocol from '../../../protocol/index.ts'
import { vectorsDir } from '../../vectors/format.ts'

/** The rows of a table of a spec whose first cell is a name in backticks. */
function rowsOf(page: string): Map<string, readonly string[]> {
  const text = readFileSync(join(vectorsDir(), '..', '..', 'protocol', 'spec', page), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  return new Map(
    rows
      .map((row) => row.split('|').map((cell) => cell.trim()))
      .map((cells) => [String(cells[1]).slice(1, -1), cells.slice(2)]),
  )
}

describe('tables of the specs', () => {
  it('X1.1 limits.md says every limit as it is in force', () => {
    const source = readFileSync(join(vectorsDir(), '..', '..', 'protocol', 'limits.ts'), 'utf8')
    const names = [...source.matchAll(/^export const (\w+)/gm)].map((match) => match[1] as string)
    const rows = rowsOf('limits.md')
    assert.deepEqual([...rows.keys()], names)
    for (const [name, [value]] of rows) {
      assert.equal(Number(value?.replaceAll(',', '')), (protocol as Record<string, unknown>)[name], name)
    }
  })

  it('errors.md says number and status of every code', () => {
    const rows = rowsOf('errors.md')
    assert.deepEqual([...rows.keys()].sort(), Object.keys(ERRORS).sort())
    for (const [code, kind] of Object.entries(ERRORS)) {
      const [wire, exit, text] = rows.get(code) ?? []
      assert.equal(wire, 'wire' in kind ? String(kind.wire) : '–', code)
      assert.equal(exit, String(kind.exit), code)
      assert.ok((text ?? '').length > 10, code)
    }
  })

  it('no two codes have one number, and numbers lead back to their codes', () => {
    const told = Object.entries(ERRORS).filter(([, kind]) => 'wire' in kind)
    for (const [code] of told)
      assert.equal(errorCodeFromWire(errorCodeToWire(code as keyof typeof ERRORS)), code)
  })

  it('X1.1 what is too large is refused whole', () => {
    assert.throws(
      () => openHead(new Uint8Array(600)),
      (error) => isCellarError(error, 'LISTING_INVALID'),
    )
  })
})
