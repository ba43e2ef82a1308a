import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryDisk } from '../../storage/memory-disk.ts'
import { isPackHeader } from '../../storage/pack/format.ts'
import { scanRecords } from '../../storage/pack/scan.ts'
import { field, formatVector, readVectors, vectorsDir } from './format.ts'
import { packVectors } from './generate/pack.ts'

describe('vectors of packs', () => {
  it('come out of the generator as they were committed', () => {
    for (const vector of packVectors()) {
      const text = readFileSync(join(vectorsDir(), 'pack', `${vector.name}.txt`), 'utf8')
      assert.equal(text, formatVector(vector), vector.name)
    }
    assert.equal(readVectors('pack', ['found']).length, packVectors().length)
  })

  for (const vector of readVectors('pack', ['found'])) {
    it(`are read right: ${vector.name}`, () => {
      const file = new MemoryDisk().open('/pack', 'create')
      file.write([vector.body], 0)
      assert.ok(isPackHeader(vector.body, 1))
      assert.equal(isPackHeader(vector.body, 2), false)
      const found = [...scanRecords(file, { readData: true })].map((item) => {
        if (item.kind === 'damage') return `damage at ${String(item.offset)} of ${String(item.length)}`
        return `${item.isGood ? 'record' : 'bad'} ${item.id} at ${String(item.offset)}`
      })
      assert.equal(found.join(', '), field(vector, 'found'))
    })
  }
})
