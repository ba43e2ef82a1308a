/** What every catalog must do; run against the real one and its twin. */
import assert from 'node:assert/strict'
import type { Catalog, CatalogRange } from '../../storage/index.ts'

/** How the suite gets what it tests. */
export interface CatalogSetup {
  readonly name: string
  /** An empty catalog; the suite closes it. */
  readonly open: () => Promise<Catalog>
}

const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString()

async function list(catalog: Catalog, range?: CatalogRange): Promise<string[]> {
  const found: string[] = []
  for await (const [key, value] of catalog.iterate(range)) found.push(`${key}=${text(value) ?? ''}`)
  return found
}

/** Defines the suite. */
export function catalogContract(setup: CatalogSetup): void {
  describe(`catalog: ${setup.name}`, () => {
    let catalog: Catalog
    const put = (target: Catalog, ...keys: string[]): Promise<void> =>
      target.batch(
        keys.map((key) => ({ type: 'put', key, value: bytes(key.toUpperCase()) })),
        { durable: true },
      )
    beforeEach(async () => {
      catalog = await setup.open()
    })
    afterEach(async () => {
      await catalog.close()
    })

    it('gives back what was put, and nothing for a key that is not there', async () => {
      await put(catalog, 'a')
      assert.equal(text(catalog.get('a')), 'A')
      assert.equal(catalog.get('b'), undefined)
      assert.deepEqual(catalog.getMany(['b', 'a']).map(text), [undefined, 'A'])
    })

    it('does puts and deletions of one batch in order', async () => {
      await put(catalog, 'a', 'b')
      await catalog.batch(
        [
          { type: 'del', key: 'a' },
          { type: 'put', key: 'b', value: bytes('new') },
        ],
        { durable: false },
      )
      assert.deepEqual(await list(catalog), ['b=new'])
    })

    it('iterates in the order of bytes, within a range', async () => {
      await put(catalog, 'b', 'a', 'ä', 'c')
      assert.deepEqual(await list(catalog), ['a=A', 'b=B', 'c=C', 'ä=Ä'])
      assert.deepEqual(await list(catalog, { gte: 'b', lt: 'c' }), ['b=B'])
      assert.deepEqual(await list(catalog, { gte: 'bb' }), ['c=C', 'ä=Ä'])
    })

    it('keeps sub-catalogs apart from itself and from each other', async () => {
      const one = catalog.sub('one')
      const two = catalog.sub('two')
      await put(catalog, 'a')
      await put(one, 'b')
      await put(two, 'b')
      await put(one.sub('deep'), 'd')
      await two.batch([{ type: 'del', key: 'b' }], { durable: true })
      assert.deepEqual(await list(catalog), ['a=A'])
      assert.deepEqual(await list(one), ['b=B'])
      assert.deepEqual(await list(two), [])
      assert.deepEqual(await list(one.sub('deep')), ['d=D'])
    })

    it('refuses keys and names that could be mistaken', () => {
      assert.throws(() => catalog.get(''), TypeError)
      assert.throws(() => catalog.get('a\0b'), TypeError)
      assert.throws(() => catalog.sub('Ä'), TypeError)
    })

    it('closes twice', async () => {
      await catalog.close()
      await catalog.close()
    })
  })
}
