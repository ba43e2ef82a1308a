import assert from 'node:assert/strict'
import decodeQR from 'qr/decode.js'
import { kitPage, type KitFacts } from '../../../../node/recovery/kit.ts'

const WORDS = `${'abandon '.repeat(23)}art`.split(' ')
const FACTS: KitFacts = {
  mesh: 'abcdef01',
  madeMs: Date.UTC(2026, 2, 1),
  words: WORDS,
  devices: [
    { name: 'desk<script>alert(1)</script>', role: 'keeper', addresses: ['192.168.1.20:4517'] },
    { name: 'pi "&"', role: 'storer', addresses: [] },
  ],
}

const scale = 4

/** What a camera sees of the code on a page: its path of squares, painted. */
function photoOf(page: string) {
  const svg = /<svg[\s\S]*<\/svg>/.exec(page)?.[0] ?? ''
  const side = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]) * scale
  const data = new Uint8Array(side * side * 4).fill(255)
  const paint = (atX: number, atY: number): void => {
    for (let y = atY * scale; y < (atY + 1) * scale; y++)
      for (let x = atX * scale; x < (atX + 1) * scale; x++)
        data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3)
  }
  let [x, y] = [0, 0]
  const path = / d="([^"]*)"/.exec(svg)?.[1] ?? ''
  for (const [, command = '', first = '', second = ''] of path.matchAll(/([Mm])(-?\d+)[ ,]?(-?\d+)/g)) {
    const isFrom = command === 'm'
    x = Number(first) + (isFrom ? x : 0)
    y = Number(second) + (isFrom ? y : 0)
    paint(x, y)
  }
  return { width: side, height: side, data }
}

describe('the page to print', () => {
  const page = kitPage(FACTS)

  it('has all words in their order, the mesh, the devices and what to type', () => {
    const words = [...page.matchAll(/<li>([a-z]+)<\/li>/g)].map(([, word]) => word)
    assert.deepEqual(words, WORDS)
    for (const text of [
      'abcdef01',
      '2026-03-01',
      '192.168.1.20:4517',
      'cellar recover',
      'cellar recovery new',
    ])
      assert.ok(page.includes(text), text)
  })

  it('asks nobody for anything, and runs nothing', () => {
    assert.ok(page.includes(`content="default-src 'none'; style-src 'unsafe-inline'"`))
    const own = page.replaceAll('http://www.w3.org/2000/svg', '')
    assert.doesNotMatch(
      own,
      /https?:|\ssrc=|\shref=|url\(|@import|<script|<link|<img|<iframe|<object|\son[a-z]+=/i,
    )
  })

  it('takes names of devices as text, whatever they are', () => {
    assert.ok(page.includes('desk&lt;script&gt;alert(1)&lt;/script&gt;'))
    assert.ok(page.includes('pi &quot;&amp;&quot;'))
  })

  it('has a code that a telephone reads as the words', () => {
    assert.equal(decodeQR(photoOf(page)), WORDS.join(' '))
  })

  it('has 24 lines to write on, and no code, when it is blank', () => {
    const blank = kitPage({ ...FACTS, words: undefined })
    assert.equal([...blank.matchAll(/<li class="line">/g)].length, 24)
    assert.doesNotMatch(blank, /<svg/)
    assert.ok(!blank.includes('abandon'))
  })
})
