import assert from 'node:assert/strict'
import { PathMemory, weightMax } from '../../../../node/browse/path-memory.ts'
import type { Entry, RootId } from '../../../../protocol/index.ts'

const path = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const root = (at: number): RootId => String(at).padStart(64, '0') as RootId
const directory = (parts: number): Entry =>
  ({
    type: 'dir',
    trees: Array.from({ length: parts }, (_, at) => root(at)),
  }) as unknown as Entry

describe('memory of paths', () => {
  it('knows what was there, and that nothing was, of the path that was asked for', () => {
    const memory = new PathMemory()
    const entry = directory(1)
    memory.put(path('/a'), root(1), entry)
    memory.put(path('/a'), root(2), undefined)
    assert.deepEqual(memory.get(path('/a'), root(1)), { isKnown: true, entry })
    assert.deepEqual(memory.get(path('/a'), root(2)), { isKnown: true, entry: undefined })
    assert.equal(memory.get(path('/a'), root(3)).isKnown, false)
    assert.equal(memory.get(path('/b'), root(1)).isKnown, false)
  })

  it('is bounded: by the paths asked for last, and by what they lead to', () => {
    const memory = new PathMemory()
    for (const name of ['/a', '/b', '/c', '/d', '/e'])
      for (let at = 0; at < 1000; at++) memory.put(path(name), root(at), directory(200))
    assert.equal(memory.get(path('/a'), root(0)).isKnown, false)
    assert.equal(memory.get(path('/e'), root(0)).isKnown, true)
    assert.equal(memory.get(path('/e'), root(999)).isKnown, false)
    assert.ok(memory.weight <= weightMax)
    assert.ok(memory.weight > weightMax / 2)
  })
})
