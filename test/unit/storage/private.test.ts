import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCatalog } from '../../../storage/index.ts'

describe('a catalog', () => {
  it('is closed to other users, whatever the directory above it is', async () => {
    const above = mkdtempSync(join(tmpdir(), 'cellar-private-'))
    try {
      const catalog = await openCatalog(join(above, 'state'))
      await catalog.close()
      assert.equal(statSync(join(above, 'state')).mode & 0o077, 0)
    } finally {
      rmSync(above, { recursive: true })
    }
  })
})
