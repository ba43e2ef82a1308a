import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import { readConfigText } from '../../../../node/config/parse.ts'
import { configSchema } from '../../../../node/config/schema.ts'
import { fitsSchema } from '../../../tools/json-schema.ts'
import { projectText } from '../../../tools/project.ts'
import { exampleIn } from '../../../tools/config-reference.ts'

type Table = Record<string, unknown>

const schema = configSchema()
const example = exampleIn(projectText('docs/config.md'))
const env = { NTFY_TOKEN: 'token', DISCORD_WEBHOOK: 'https://discord.com/api/webhooks/1/x' }

function isTaken(text: string): boolean {
  return readConfigText(text, { path: 'config.toml', env, homeDirectory: '/home/ann' }).config !== undefined
}

/** Every place in a table and its tables where there is something. */
function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null || value instanceof Date) return [path]
  return [
    path,
    ...Object.entries(value).flatMap(([key, item]) =>
      places(item, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ]
}

/** The same with something else at a place; undefined takes it away. */
function put(table: Table, path: readonly (string | number)[], value: unknown): Table {
  const copy = structuredClone(table)
  let at = copy as Record<string | number, unknown>
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>
  const last = path.at(-1) ?? ''
  if (value === undefined) Reflect.deleteProperty(at, last)
  else at[last] = value
  return copy
}

describe('the schema of settings', () => {
  it('is the one that is published', () => {
    const published = JSON.parse(projectText('docs/config.schema.json')) as unknown
    assert.deepEqual(published, schema, 'cellar config schema > docs/config.schema.json; npm run format')
  })

  it('describes every setting', () => {
    const walk = (one: Table, path: string) => {
      for (const [key, child] of Object.entries((one['properties'] ?? {}) as Record<string, Table>)) {
        assert.match(String(child['description']), /\.$/, `${path}.${key}`)
        walk(child, `${path}.${key}`)
      }
    }
    walk(schema, '')
  })

  it('takes what the parser takes: the example of the documentation', () => {
    assert.ok(isTaken(example))
    assert.ok(fitsSchema(schema, parse(example)))
  })

  // What the parser takes the schema takes: else an editor would complain of a file that is right.
  it('takes whatever the parser takes, and the parser refuses what it refuses (Q1.1)', () => {
    const table = parse(example) as Table
    const values = fc.oneof(
      fc.constantFrom<unknown>(
        '',
        'x',
        'none',
        'never',
        'daily',
        'off',
        '7d',
        '10GiB',
        '~/x',
        '/x',
        '08:00',
        'mon..fri',
        'all',
      ),
      fc.constantFrom<unknown>(
        '0 4 * * *',
        '127.0.0.1:80',
        'https://x.org/',
        'smtp://x',
        'goal',
        'failure',
        'info',
        'low',
        'POST',
      ),
      fc.constantFrom<unknown>(
        true,
        false,
        0,
        1,
        -1,
        3.5,
        100,
        [],
        ['x'],
        ['/x'],
        [1],
        {},
        { append: ['/x'] },
        { append: 1 },
      ),
      fc.constantFrom<unknown>({ x: 'y' }, [{}], undefined),
      fc.string({ maxLength: 6 }),
    )
    const all = places(table).filter((path) => path.length > 0)
    const strange = all.map((path) => [...path.slice(0, -1), 'strange'])
    let taken = 0
    let refused = 0
    fc.assert(
      fc.property(fc.constantFrom(...all, ...strange), values, (path, value) => {
        const parent = path.slice(0, -1).reduce<unknown>((at, key) => (at as Table)[key], table)
        if (Array.isArray(parent) && (value === undefined || typeof path.at(-1) === 'string')) return
        const changed = put(table, path, value)
        const [fits, isRead] = [fitsSchema(schema, changed), isTaken(stringify(changed))]
        if (isRead) taken++
        else refused++
        if (isRead)
          assert.ok(
            fits,
            `the parser takes ${JSON.stringify(value)} at ${path.join('.')}, the schema does not`,
          )
      }),
      { numRuns: 1500 },
    )
    assert.ok(
      taken > 50 && refused > 50,
      `${String(taken)} were taken, ${String(refused)} refused: both must be tried`,
    )
  })

  const wrong: Readonly<Record<string, string>> = {
    'unknown keys': 'limit_uplaod = 1',
    'unknown keys of tables': '[metrics]\nlisten_to = "x"',
    'unknown keys of profiles': '[profile.a]\nexclud = []',
    'wrong types': 'mdns = "yes"',
    'lists that are none': 'peers = "desktop:1"',
    'numbers out of bounds': 'limit_upload = 0',
    'words that are none': 'log_level = "loud"',
    'tables without what they need': '[[hook]]\nurl = "https://x.org"',
    'names that are none': '[profile."a b"]',
  }
  for (const [what, text] of Object.entries(wrong)) {
    it(`refuses ${what}, as the parser does (Q1.1, Q1.2)`, () => {
      assert.ok(!fitsSchema(schema, parse(text)))
      assert.ok(!isTaken(text))
    })
  }
})
