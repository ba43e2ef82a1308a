import assert from 'node:assert/strict'
import { Compile } from 'typebox/schema'
import { publishedSchema } from '../../../node/control/published.ts'
import { METHODS } from '../../../node/methods.ts'
import { assertFits } from '../../support/fits.ts'

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, { readonly post: Operation }>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
}

interface Operation {
  readonly operationId: string
  readonly description: string
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: unknown }>> }
}

const document = JSON.parse(JSON.stringify(publishedSchema())) as Document

/** Everything below a value that has a key. */
function* having(key: string, value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null) return
  if (Object.hasOwn(value, key)) yield value as Record<string, unknown>
  for (const inner of Object.values(value)) yield* having(key, inner)
}

describe('published schema', () => {
  it('describes every method', () => {
    assert.deepEqual(
      Object.keys(document.paths).sort(),
      Object.keys(METHODS)
        .map((name) => `/v1/${name}`)
        .sort(),
    )
    for (const [path, { post }] of Object.entries(document.paths)) {
      assert.equal(`/v1/${post.operationId}`, path)
      assert.match(post.description, /^[A-Z].*\.$/s, path)
    }
  })

  it('refers to nothing that is not there, and names nothing that nobody refers to', () => {
    const names = new Set([...having('$ref', document)].map((at) => String(at['$ref']).split('/').at(-1)))
    assert.deepEqual([...names].sort(), Object.keys(document.components.schemas).sort())
  })

  it('says what each field is called once: no schema has a title inside', () => {
    for (const schema of Object.values(document.components.schemas))
      for (const { title } of having('title', schema)) assert.equal(typeof title, 'object')
  })

  it('is JSON Schema that a checker takes', () => {
    for (const schema of Object.values(document.components.schemas))
      Compile({ ...(schema as object), components: document.components }).Check({})
  })

  it('is what answers are held to in tests, and they can fail (H7.1)', () => {
    assertFits('stop', 'result', { pid: 1 })
    assert.throws(() => assertFits('stop', 'result', { pid: '1' }), /is not what its schema says/)
    assert.throws(() => assertFits('status', 'event', {}), /is not what its schema says/)
  })

  it('allows no parameters but those that it names (H3.1)', () => {
    for (const [path, { post }] of Object.entries(document.paths)) {
      const { schema } = Object.values(post.requestBody.content)[0]!
      const { $ref } = schema as { $ref?: string }
      const resolved = $ref === undefined ? schema : document.components.schemas[$ref.split('/').at(-1)!]
      assert.equal((resolved as { additionalProperties?: boolean }).additionalProperties, false, path)
    }
  })
})
