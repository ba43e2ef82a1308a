import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { vectorsDir } from './format.ts'

const PAGES = ['README.md', 'keys.md', 'chunk.md', 'snapshot.md']

/** Rules that are between chunks, not in one: property tests hold them (test/property/snapshot.test.ts). */
const ELSEWHERE = new Set(['snapshot.md S7.4'])

/** All numbered rules of a page, as the tables and lists begin with them. */
function rulesOf(page: string): string[] {
  const text = readFileSync(join(vectorsDir(), '..', '..', 'protocol', 'spec', page), 'utf8')
  const rules = [...text.matchAll(/^(?:\* \*\*|\| )([A-Z]\d\.\d+)/gm)].map(
    (match) => `${page} ${match[1] as string}`,
  )
  return rules.filter((rule) => !ELSEWHERE.has(rule))
}

/** All rules that the vectors name. */
function rulesNamed(): ReadonlySet<string> {
  const named = new Set<string>()
  const files = readdirSync(vectorsDir(), { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => name.endsWith('.txt'))) {
    const spec = /^spec: (\S+\.md) (.*)$/m.exec(readFileSync(join(vectorsDir(), file), 'utf8'))
    for (const rule of spec?.[2]?.split(' ') ?? []) named.add(`${spec?.[1] ?? ''} ${rule}`)
  }
  return named
}

describe('the rules of the specs', () => {
  const named = rulesNamed()
  for (const page of PAGES) {
    it(`of ${page} are each named by a vector`, () => {
      const rules = rulesOf(page)
      assert.ok(rules.length > 3)
      assert.deepEqual(
        rules.filter((rule) => !named.has(rule)),
        [],
      )
    })
  }
})
