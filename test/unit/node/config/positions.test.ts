import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import { type ConfigPath, positionsOf } from '../../../../node/config/positions.ts'

/** Every path of a table, down to the values. */
function pathsOf(value: unknown, path: ConfigPath = []): ConfigPath[] {
  if (Array.isArray(value))
    return value.flatMap((item: unknown, at) => [[...path, at], ...pathsOf(item, [...path, at])])
  if (typeof value !== 'object' || value === null || value instanceof Date) return []
  return Object.entries(value).flatMap(([key, item]) => [[...path, key], ...pathsOf(item, [...path, key])])
}

const TEXT = `# a remark with = and [brackets]
listen = ["a", # one
  "b]", 'c"', """d
  e""", "f"]
"quoted.key" = 1
'literal' = '''
x = 1
'''
peers=[ [1,2], { a = 1, b.c = "}" } ]
dotted . key = 1979-05-27 07:32:00
[ table . sub ]  # remark
x = "\\" # no remark"
y = 5 # remark
[[hook]]
name = "one"
[hook.headers]
A = "1"
[[hook]]
name = """"two""""
`

const LINES: Readonly<Record<string, number>> = {
  '["listen"]': 2,
  '["listen",1]': 3,
  '["listen",2]': 3,
  '["listen",3]': 3,
  '["listen",4]': 4,
  '["quoted.key"]': 5,
  '["literal"]': 6,
  '["peers"]': 9,
  '["peers",0,1]': 9,
  '["peers",1,"b","c"]': 9,
  '["dotted","key"]': 10,
  '["table","sub"]': 11,
  '["table","sub","x"]': 12,
  '["table","sub","y"]': 13,
  '["hook",0]': 14,
  '["hook",0,"name"]': 15,
  '["hook",0,"headers","A"]': 17,
  '["hook",1]': 18,
  '["hook",1,"name"]': 19,
}

describe('the lines of settings', () => {
  it('are those on which the keys stand', () => {
    const positions = positionsOf(TEXT)
    const table = parse(TEXT)
    assert.equal((table['hook'] as { name: string }[])[1]?.name, '"two"', 'the example is TOML')
    for (const [path, line] of Object.entries(LINES))
      assert.equal(positions.lineOf(JSON.parse(path) as ConfigPath), line, path)
  })

  it('are those of what is around, for what is not there', () => {
    const positions = positionsOf(TEXT)
    assert.equal(positions.lineOf(['hook', 1, 'url']), 18)
    assert.equal(positions.lineOf(['table', 'sub', 'z', 3]), 11)
    assert.equal(positions.lineOf(['nothing']), undefined)
    assert.equal(positions.lineOf([]), undefined)
  })

  it('are known for each key that the parser finds, whatever stands there', () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('#', '"', "'", ']', '}', '[x]', 'a = 1', '\\', '\n', '"""', "'''"),
      fc.integer(),
      fc.boolean(),
    )
    const { table } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(leaf, { maxLength: 3 }),
        tie('table'),
        fc.array(tie('table'), { maxLength: 2 }),
      ),
      table: fc.dictionary(
        fc.oneof(fc.constantFrom('a', 'b', 'a.b', 'c d', ''), fc.string({ maxLength: 4 })),
        tie('value'),
        { maxKeys: 4 },
      ),
    }))
    fc.assert(
      fc.property(table, (given) => {
        const text = stringify(given)
        const positions = positionsOf(text)
        const lines = text.split('\n')
        for (const path of pathsOf(parse(text))) {
          const line = positions.lineOf(path)
          assert.ok(line !== undefined && line <= lines.length, `${JSON.stringify(path)} in\n${text}`)
          const key = path.at(-1)
          if (typeof key !== 'string' || path.some((part) => typeof part === 'number')) continue
          assert.ok(
            lines[line - 1]?.includes(/^[\w-]+$/.test(key) ? key : ''),
            `${key} in line ${String(line)} of\n${text}`,
          )
        }
      }),
      { numRuns: 300 },
    )
  })

  it('end, whatever is in the file', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('[', ']', '{', '}', '=', '"', "'", '.', '\n', '#', 'a', ',', ' ', '\\')),
        (parts) => {
          positionsOf(parts.join('')).lineOf(['a'])
        },
      ),
    )
  })
})
