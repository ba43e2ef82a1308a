/** A process of its own that has a store open: puts and commits until it is killed, or only waits (`wait`). */
import { openStore } from '../../storage/index.ts'
import { testChunk } from './chunks.ts'

const [dir = '', what = ''] = process.argv.slice(2)
const store = await openStore({ dir, reserveBytes: 0, packBytes: 2_000_000 })
process.stdout.write('open\n')
if (what === 'wait') setInterval(() => undefined, 1000)
else {
  for (let at = 0; ; at++) {
    for (let part = 0; part < 5; part++) {
      const { id, bytes } = testChunk(`${what} ${String(at)} ${String(part)}`, [], 20_000)
      await store.put(id, bytes)
    }
    await store.commit()
    process.stdout.write(`${String(at)}\n`)
  }
}
