import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryCatalog, memoryStore, openCatalog, openStore } from '../../../storage/index.ts'
import { catalogContract } from '../../contract/catalog.ts'
import { chunkStoreContract } from '../../contract/chunk-store.ts'

const made: string[] = []
const fresh = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'rootcellar-store-'))
  made.push(directory)
  return directory
}

after(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

chunkStoreContract({
  name: 'on disk',
  open: (options) => openStore({ dir: join(fresh(), 'store'), reserveBytes: 0, ...options }),
})
chunkStoreContract({ name: 'in memory', open: (options) => Promise.resolve(memoryStore(options)) })
catalogContract({ name: 'on disk', open: () => openCatalog(join(fresh(), 'catalog')) })
catalogContract({ name: 'in memory', open: () => Promise.resolve(memoryCatalog()) })
