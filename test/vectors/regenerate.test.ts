import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatVector, vectorsDir } from './format.ts'
import { protocolVectors } from './generate/protocol.ts'

describe('the vectors of the protocol', () => {
  for (const [folder, vectors] of Object.entries(protocolVectors())) {
    it(`of ${folder} come out of the generator as they were committed`, () => {
      const dir = join(vectorsDir(), folder)
      for (const vector of vectors) {
        assert.equal(readFileSync(join(dir, `${vector.name}.txt`), 'utf8'), formatVector(vector), vector.name)
      }
      const files = readdirSync(dir).filter((file) => file.endsWith('.txt'))
      assert.deepEqual(files.sort(), vectors.map(({ name }) => `${name}.txt`).sort())
    })
  }
})
