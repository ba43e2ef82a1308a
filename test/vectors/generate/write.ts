/** Writes the vectors into `test/vectors`, or compares those there: see `regenerate.test.ts`. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatVector, vectorsDir } from '../format.ts'
import { protocolVectors } from './protocol.ts'

for (const [folder, vectors] of Object.entries(protocolVectors())) {
  mkdirSync(join(vectorsDir(), folder), { recursive: true })
  for (const vector of vectors)
    writeFileSync(join(vectorsDir(), folder, `${vector.name}.txt`), formatVector(vector))
}
