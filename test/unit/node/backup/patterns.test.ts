import assert from 'node:assert/strict'
import { compilePatterns, nameText, readPatternFile, readSize } from '../../../../node/backup/patterns.ts'
import { isCellarError } from '../../../../protocol/index.ts'

const isOut = (patterns: string[], path: string, ignoreCase = false): boolean =>
  compilePatterns(patterns, { ignoreCase }).matches(path.split('/').filter((name) => name !== ''))

describe('exclude patterns', () => {
  const table: [string, string, boolean][] = [
    ['*.go', '/home/u/a.go', true],
    ['*.go', '/home/u/a.goo', false],
    ['foo', '/home/foo', true],
    ['foo', '/home/foobar', false],
    ['foo/bar', '/a/foo/bar', true],
    ['foo/bar', '/a/foo/x/bar', false],
    ['/foo', '/foo', true],
    ['/foo', '/a/foo', false],
    ['foo/', '/a/foo', true],
    ['./foo', '/a/foo', true],
    ['foo/**/bar', '/a/foo/bar', true],
    ['foo/**/bar', '/a/foo/x/y/bar', true],
    ['/**/bar', '/x/y/bar', true],
    ['**/bar', '/bar', true],
    ['/a/*/c', '/a/b/c', true],
    ['/a/*/c', '/a/b/b/c', false],
    ['a?c', '/abc', true],
    ['a?c', '/aüc', true],
    ['a?c', '/a🥔c', true],
    ['a?c', '/ac', false],
    ['[a-c]x', '/bx', true],
    ['[^a-c]x', '/bx', false],
    ['[^a-c]x', '/dx', true],
    ['[z-a]x', '/bx', false],
    ['\\*', '/*', true],
    ['\\*', '/a', false],
    ['a.c', '/abc', false],
    ['*', '/a\nb', true],
    ['**', '/a/b', true],
  ]
  for (const [pattern, path, expected] of table) {
    it(`${JSON.stringify(pattern)} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(path)}`, () => {
      assert.equal(isOut([pattern], path), expected)
    })
  }

  it('lets a later pattern include again, and exclude again', () => {
    const patterns = ['*.txt', '!keep.txt', '/tmp/keep.txt']
    assert.deepEqual(
      ['/a/b.txt', '/a/keep.txt', '/tmp/keep.txt'].map((path) => isOut(patterns, path)),
      [true, false, true],
    )
  })

  it('ignores case when asked to', () => {
    assert.equal(isOut(['*.JPG'], '/a.jpg'), false)
    assert.equal(isOut(['*.JPG'], '/a.jpg', true), true)
  })

  it('tells names apart that are not UTF-8', () => {
    const [a, b] = [nameText(Uint8Array.of(0xff, 0x61)), nameText(Uint8Array.of(0xfe, 0x61))]
    assert.notEqual(a, b)
    assert.ok(compilePatterns(['?a'], { ignoreCase: false }).matches([a]))
    assert.equal(nameText(Buffer.from('ü\ufffd🥔')), 'ü\ufffd🥔')
  })

  it('refuses what is malformed', () => {
    for (const pattern of ['[', '[a', 'a\\', '[]', '[a-]', '']) {
      assert.throws(
        () => isOut([pattern], '/a'),
        (error) => isCellarError(error, 'USAGE'),
        pattern,
      )
    }
  })
})

describe('exclude files', () => {
  it('give patterns without comments, with variables', () => {
    const text = '# comment\n\n  *.o  \n$HOME/tmp\n${HOME}x\n$$lit\n!a\r\n$NONE/b'
    assert.deepEqual(readPatternFile(text, { HOME: '/home/u' }), [
      '*.o',
      '/home/u/tmp',
      '/home/ux',
      '$lit',
      '!a',
      '/b',
    ])
  })
})

describe('sizes', () => {
  it('are in powers of 1024', () => {
    assert.deepEqual(['7', '7b', '2k', '3M', '1g', '1T'].map(readSize), [
      7,
      7,
      2048,
      3 * 2 ** 20,
      2 ** 30,
      2 ** 40,
    ])
    for (const text of ['', 'k', '1.5M', '-1', '9999999999T'])
      assert.throws(
        () => readSize(text),
        (error) => isCellarError(error, 'USAGE'),
      )
  })
})
