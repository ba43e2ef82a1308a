/** What the page is made of: places, answers, words, and what the first screen and the settings say. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { SettingInForce, Status } from '../../../node/api.ts'
import { CONFIG_DEFAULT } from '../../../node/config/defaults.ts'
import { settingsInForce } from '../../../node/config/in-force.ts'
import { attention } from '../../../node/dashboard/page/home/attention.ts'
import { countDays, dayOf, daysShown, daysText } from '../../../node/dashboard/page/home/days.ts'
import { type Item, ItemReader } from '../../../node/dashboard/page/lines.ts'
import { agoText, bytesText, sentenceText, shareText } from '../../../node/dashboard/page/parts/format.ts'
import { remedyParts } from '../../../node/dashboard/page/parts/remedy-parts.ts'
import { hrefOf, parsePlace } from '../../../node/dashboard/page/place.ts'
import { fieldOf, typedOf, valueOf } from '../../../node/dashboard/page/settings/field.ts'
import { groupsOf, nameOf } from '../../../node/dashboard/page/settings/groups.ts'
import { STATUS } from '../cli/fixtures.ts'

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text))

describe('places of the page', () => {
  it('read back as they were written, whatever names are in them', () => {
    const names = fc.array(fc.string({ unit: 'binary', minLength: 1 }).filter((name) => name.isWellFormed()))
    fc.assert(
      fc.property(names, fc.string({ unit: 'grapheme' }), (path, text) => {
        assert.deepEqual(parsePlace(hrefOf(path, { text })), { path, query: { text } })
      }),
    )
  })

  it('are somewhere, whatever somebody typed', () => {
    assert.deepEqual(parsePlace(''), { path: [], query: {} })
    assert.deepEqual(parsePlace('#files//%zz?a=%zz&b'), {
      path: ['files', '%zz'],
      query: { a: '%zz', b: '' },
    })
  })
})

describe('an answer of the node, as the page reads it', () => {
  it('is the same however it is cut', () => {
    const raw = '{"bytes":5}\n\n{"a}{"event":{"text":"ä\\n€"}}\n{"result":{"bytes":3}}\n'
    const whole = bytesOf(raw)
    const all = (items: Item[]): [unknown[], string] => [
      items.filter((item) => !('bytes' in item)),
      Buffer.concat(items.flatMap((item) => ('bytes' in item ? [item.bytes] : []))).toString(),
    ]
    const expected = all(new ItemReader().read(whole))
    assert.deepEqual(expected, [[{ event: { text: 'ä\n€' } }, { result: { bytes: 3 } }], '\n{"a}'])
    for (let cut = 1; cut < whole.length; cut++) {
      const reader = new ItemReader()
      const items = [...reader.read(whole.subarray(0, cut)), ...reader.read(whole.subarray(cut))]
      assert.deepEqual(all(items), expected, `cut at ${String(cut)}`)
    }
  })
})

describe('words of the page', () => {
  it('say sizes with three digits, and never 1024 of one unit', () => {
    const said = [0, 1023, 1024, 10_239, 1_048_575, 5_000_000, 2 ** 40].map(bytesText)
    assert.deepEqual(said, ['0 B', '1023 B', '1.00 KiB', '10.0 KiB', '1.00 MiB', '4.77 MiB', '1.00 TiB'])
  })

  it('say that something is whole only when it is', () => {
    assert.deepEqual([0, 0.995, 0.9999, 1].map(shareText), ['0 %', '99 %', '99 %', '100 %'])
  })

  it('say how long ago, and how long still', () => {
    const now = Date.parse('2026-11-23T12:00:00Z')
    const times = [
      '2026-11-23T11:59:40Z',
      '2026-11-23T11:55:00Z',
      '2026-11-20T12:00:00Z',
      '2026-11-23T15:00:00Z',
      '?',
    ]
    assert.deepEqual(
      times.map((time) => agoText(time, now)),
      ['just now', '5 min ago', '3 days ago', 'in 3 h', '?'],
    )
  })

  it('leave a command as it is typed, and find it in a sentence', () => {
    assert.equal(sentenceText('cellar invite: pair another device'), 'cellar invite: pair another device.')
    assert.equal(sentenceText('free space on it'), 'Free space on it.')
    const commands = (text: string): string[] =>
      remedyParts(text).flatMap((part) => (part.isCommand ? [part.text] : []))
    assert.deepEqual(commands('Look at it; when all is well: cellar devices trust laptop.'), [
      'cellar devices trust laptop',
    ])
    assert.deepEqual(commands('cellar check --repair, or cellar backup PATH'), [
      'cellar check --repair',
      'cellar backup PATH',
    ])
    assert.deepEqual(commands('free space, or cellar prune and wait'), ['cellar prune'])
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.equal(
          remedyParts(text)
            .map((part) => part.text)
            .join(''),
          text,
        )
      }),
    )
  })
})

describe('the days of the first screen', () => {
  const today = new Date(2026, 10, 23).getTime()
  const at = (daysAgo: number, hour: number): string => new Date(2026, 10, 23 - daysAgo, hour).toISOString()

  it('count snapshots where they belong, today last, and leave out what is older', () => {
    const made = [at(0, 0), at(0, 23), at(1, 23), at(59, 0), at(60, 23)].map((time) => ({
      device: 'a',
      time,
    }))
    const counts = countDays(made, today).get('a') ?? []
    assert.equal(counts.length, daysShown)
    assert.deepEqual([counts[59], counts[58], counts[57], counts[0]], [2, 1, 0, 1])
    assert.equal(dayOf(59, today).getDate(), 23)
    assert.equal(dayOf(0, today).getDate(), 25)
  })

  it('are one day each also where the clock is changed', () => {
    const made = Array.from({ length: daysShown }, (_, back) => ({ device: 'a', time: at(back, 12) }))
    assert.deepEqual([...new Set(countDays(made, today).get('a'))], [1])
  })

  it('are told in words', () => {
    const days = (ago: number): readonly number[] | undefined =>
      countDays([{ device: 'a', time: at(ago, 1) }], today).get('a')
    assert.equal(daysText(undefined), 'no snapshot in 60 days')
    assert.equal(daysText(days(0)), 'snapshots on 1 of 60 days, today too')
    assert.equal(daysText(days(3)), 'snapshots on 1 of 60 days, none in the last 3')
  })
})

describe('what needs somebody', () => {
  const status = (part: Partial<Status>): Status => ({
    ...STATUS,
    problems: [],
    suspicions: [],
    waiting: [],
    ...part,
  })

  it('is nothing where nothing is wrong', () => {
    assert.deepEqual(attention(status({})), [])
  })

  it('has the gravest first, and a way for each that has one', () => {
    const matters = attention(
      status({
        problems: [
          { level: 'warning', code: 'BACKUP_LATE', message: 'no snapshot of documents for 3 days' },
          {
            level: 'error',
            code: 'CHUNK_CORRUPT',
            message: '2 stored chunks are damaged',
            remedy: 'cellar check',
          },
        ],
        suspicions: [
          { device: 'laptop', since: '2026-11-20T00:00:00Z', message: 'laptop: this; that; more' },
        ],
        schedule: [{ name: 'backup', profile: 'documents', due: 'daily', running: false }],
        waiting: [{ device: 'd', name: 'pi', connected: true, snapshots: 2, full: true }],
      }),
    )
    assert.deepEqual(
      matters.map(({ tone, way, backup }) => [tone, way?.path[0] ?? backup]),
      [
        ['bad', 'snapshots'],
        ['bad', 'health'],
        ['warn', 'documents'],
        ['warn', 'copies'],
      ],
    )
    assert.equal(matters[0]?.text, 'this, and 2 more such signs. Nothing of laptop is forgotten meanwhile.')
  })
})

describe('settings on the page', () => {
  const settings = settingsInForce([], CONFIG_DEFAULT)
  const named = (key: string): SettingInForce => {
    const found = settings.find((one) => one.key === key)
    assert.ok(found !== undefined, key)
    return found
  }

  it('stand in one group each', () => {
    const grouped = groupsOf(settings).flatMap((group) => group.settings.map(({ key }) => key))
    assert.deepEqual(grouped.sort(), settings.map(({ key }) => key).sort())
    assert.equal(nameOf(named('schedule.check')), 'schedule.check')
  })

  it('are typed in as their schema says', () => {
    assert.deepEqual(fieldOf(named('floor_newest')), { kind: 'number', least: 0, most: undefined })
    assert.deepEqual(fieldOf(named('schedule.check')), {
      kind: 'text',
      choices: ['off', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'],
    })
    assert.deepEqual(fieldOf(named('limits')), { kind: 'text', choices: [], isJson: true })
    assert.deepEqual(fieldOf(named('retention.devices')), { kind: 'lines' })
  })

  it('are, as they were typed in, what they were before', () => {
    for (const one of settings.filter(({ changeable, value }) => changeable && value !== undefined)) {
      const field = fieldOf(one)
      assert.deepEqual(valueOf(typedOf(one.value, field), field), one.value, one.key)
    }
  })

  it('that nobody may change say so', () => {
    for (const key of ['listen', 'mdns', 'dashboard.listen', 'log_level'])
      assert.ok(!named(key).changeable, key)
  })
})
