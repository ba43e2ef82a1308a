import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  displayWidth,
  fitWidth,
  formatAgo,
  formatBytes,
  formatSeconds,
  formatTime,
  safeText,
  shortAddress,
} from '../../../cli/output/format.ts'
import { formatTable } from '../../../cli/output/table.ts'
import { itemsIn, linesIn, patternsIn } from '../../../node/backup/pattern-files.ts'
import { absolutePath, argumentBytes, argumentText, decodeArgument } from '../../../cli/raw-args.ts'
import { calendarSpan, dataSubset, keepCount, moment, sizeBytes, spanMs } from '../../../cli/values.ts'
import { pathBytes, pathFieldBytes, pathFields, pathText } from '../../../node/client.ts'

const bytes = fc.uint8Array({ maxLength: 40 })
/** Often valid UTF-8, often broken in the middle. */
const nearText = fc.oneof(
  bytes,
  fc
    .tuple(fc.string({ unit: 'binary' }), bytes)
    .map(([text, more]) => Buffer.concat([Buffer.from(text), more])),
)

describe('raw arguments', () => {
  it('come back byte for byte, whatever they are', () => {
    fc.assert(
      fc.property(nearText, (given) =>
        assert.deepEqual(Buffer.from(argumentBytes(decodeArgument(given))), Buffer.from(given)),
      ),
    )
  })

  it('travel to the node byte for byte', () => {
    fc.assert(
      fc.property(nearText, (given) => {
        assert.deepEqual(Buffer.from(pathBytes(argumentText(decodeArgument(given)))), Buffer.from(given))
        assert.deepEqual(
          Buffer.from(pathBytes(JSON.parse(JSON.stringify(pathText(given))) as string)),
          Buffer.from(given),
        )
        assert.deepEqual(Buffer.from(pathFieldBytes(pathFields(given))), Buffer.from(given))
      }),
    )
  })

  it('are plain text where they are UTF-8', () => {
    assert.equal(decodeArgument(Buffer.from('häuser 🏠')), 'häuser 🏠')
    assert.equal(decodeArgument(Buffer.from('\ufeffx')), '\ufeffx')
    assert.equal(decodeArgument(Buffer.from('a\xffb', 'latin1')), 'a\udcffb')
    // An encoded surrogate is no UTF-8: three bytes kept one by one.
    assert.equal(decodeArgument(Buffer.from([0xed, 0xb3, 0xbf])), '\udced\udcb3\udcbf')
  })

  it('become absolute paths without detours', () => {
    const absolute = (path: string): string =>
      Buffer.from(absolutePath(Buffer.from(path, 'latin1'), Buffer.from('/h\xff', 'latin1'))).toString(
        'latin1',
      )
    for (const [given, expected] of [
      ['a', '/h\xff/a'],
      ['.', '/h\xff'],
      ['/', '/'],
      ['//a//b/', '/a/b'],
      ['../..', '/'],
      ['/../a/./b', '/a/b'],
      ['..a/.b', '/h\xff/..a/.b'],
    ] as const) {
      assert.equal(absolute(given), expected)
    }
  })
})

describe('values of options', () => {
  it('are sizes in units of 1024', () => {
    for (const [text, expected] of [
      ['0', 0],
      ['5', 5],
      ['1k', 1024],
      ['2M', 2 << 20],
      ['1.5G', 1.5 * 2 ** 30],
      ['3TiB', 3 * 2 ** 40],
      ['7kb', 7168],
    ] as const)
      assert.equal(sizeBytes(text), expected)
    for (const text of ['', '-1', '1x', 'k', '1e3', '99999999T', 'Infinity'])
      assert.throws(() => sizeBytes(text))
  })

  it('are spans up to a day', () => {
    assert.deepEqual(['90s', '15m', '2h', '1d'].map(spanMs), [90_000, 900_000, 7_200_000, 86_400_000])
    for (const text of ['0s', '2d', '5', 'm', '1.5h']) assert.throws(() => spanMs(text))
    for (const text of ['7d', '1y6m', '12h', '0h']) assert.equal(calendarSpan(text), text)
    for (const text of ['', '2w', '7', '1d1y', '-1d']) assert.throws(() => calendarSpan(text))
    assert.deepEqual(['0', '7', '-1', 'unlimited'].map(keepCount), [0, 7, -1, -1])
    for (const text of ['', '-2', '1.5', 'all']) assert.throws(() => keepCount(text))
  })

  it('are parts of the data', () => {
    assert.deepEqual(['10%', '0.5%', '2/5', '1G'].map(dataSubset), ['10%', '0.5%', '2/5', String(2 ** 30)])
    for (const text of ['0%', '101%', '0/5', '6/5', 'x']) assert.throws(() => dataSubset(text))
  })

  it('are times with the offset that was meant', () => {
    assert.equal(moment('2026-03-01T10:00:00Z', 0), '2026-03-01T10:00:00Z')
    assert.equal(moment('2026-03-01 10:00:00+05:30', 0), '2026-03-01T10:00:00+05:30')
    assert.equal(Date.parse(moment('2026-03-01 10:00', 0)), new Date(2026, 2, 1, 10).getTime())
    assert.equal(Date.parse(moment('now', 1_700_000_000_000)), 1_700_000_000_000)
    for (const text of ['', 'yesterday', '2026-13-01', '2026-02-30', '10:00', '2026-03-01 25:00:00'])
      assert.throws(() => moment(text, 0))
  })
})

describe('texts for people', () => {
  it('have sizes, spans and times', () => {
    assert.deepEqual([0, 1023, 1024, 5_418_000_000].map(formatBytes), [
      '0 B',
      '1023 B',
      '1.000 KiB',
      '5.046 GiB',
    ])
    assert.deepEqual([0, 34.9, 600, 3661].map(formatSeconds), ['0:00', '0:34', '10:00', '1:01:01'])
    const time = new Date(2026, 2, 1, 9, 5, 7)
    assert.equal(formatTime(time.toISOString()), '2026-03-01 09:05:07')
    assert.equal(formatTime('2026-03-01T09:05:07.123456789Z'), formatTime('2026-03-01T09:05:07Z'))
    const now = Date.UTC(2026, 2, 10)
    assert.deepEqual(
      [0, 59, 60, 7200, 200_000, 864_000].map((ago) =>
        formatAgo(new Date(now - ago * 1000).toISOString(), now),
      ),
      ['now', 'now', '1 minute ago', '2 hours ago', '2 days ago', '10 days ago'],
    )
  })

  it('hold nothing that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) =>
        assert.doesNotMatch(
          safeText(text),
          /[\u0000-\u001f\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])/,
        ),
      ),
    )
    assert.equal(safeText('häuser 🏠'), 'häuser 🏠')
  })

  it('fit into the columns given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(50), (text, columns) =>
        assert.ok(displayWidth(fitWidth(text, columns)) <= columns),
      ),
    )
    assert.equal(displayWidth('日本'), 4)
  })

  it('name addresses as people type them', () => {
    assert.equal(shortAddress('/ip4/192.168.1.9/tcp/4517/p2p/12D3KooW'), '192.168.1.9:4517')
    assert.equal(shortAddress('/ip6/fe80::1/tcp/4517'), '[fe80::1]:4517')
    assert.equal(shortAddress('/unix/\u001b'), '/unix/\\x1b')
  })

  it('stand in aligned tables', () => {
    const table = formatTable(
      [{ title: 'Name' }, { title: 'Size', align: 'right' }, { title: 'Paths' }],
      [
        ['日本', '1', '/a\n/b'],
        ['laptop', '22', ''],
      ],
    )
    assert.equal(
      table,
      'Name    Size  Paths\n-------------------\n日本       1  /a\n              /b\nlaptop    22',
    )
  })
})

describe('files of patterns and paths', () => {
  it('are read as restic reads them', () => {
    assert.deepEqual(
      patternsIn(Buffer.from('# no\n  *.o  \n\n!keep\n${A}/x $B $$ $MISSING.\r\n'), { A: '/a', B: 'b' }),
      ['*.o', '!keep', '/a/x b $ .'],
    )
    assert.deepEqual(linesIn(Buffer.from('a\r\nb\n')), ['a', 'b', ''])
    assert.deepEqual(itemsIn(Buffer.from('a\nb\0c\0')), ['a\nb', 'c'])
  })
})
