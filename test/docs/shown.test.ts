import assert from 'node:assert/strict'
import { type Learned, matchShown, meant } from './shown.ts'

/** Says whether it is as shown, with nothing known before. */
function isAsShown(shown: string, printed: string, learned: Learned = new Map()): boolean {
  return matchShown(shown.split('\n'), printed, learned) !== undefined
}

describe('what a document shows of a command', () => {
  it('is compared word by word', () => {
    assert.ok(isAsShown('one  snapshot', '\n one snapshot\n'))
    assert.ok(!isAsShown('one snapshot', 'two snapshots'))
    assert.ok(!isAsShown('one snapshot', 'one snapshot more'))
    assert.ok(!isAsShown('one snapshot', 'one snapshot\nand a line'))
    assert.ok(!isAsShown('one snapshot\nand a line', 'one snapshot'))
    assert.ok(!isAsShown('a.b (c)', 'axb (c)'))
  })

  it('may be of another time and size, but not of another kind', () => {
    assert.ok(isAsShown('2026-11-23 14:05:11  12.5 MiB', '2027-01-02 03:04:05  1 B'))
    assert.ok(isAsShown('call 192.168.1.20:4517 in 0:07', 'call 127.3.2.1:41 in 1:30:00'.replace(':00', '')))
    assert.ok(!isAsShown('2026-11-23 14:05:11', 'yesterday'))
    assert.ok(!isAsShown('12.5 MiB', 'much'))
  })

  it('means the same by the same id, and another by another', () => {
    assert.ok(isAsShown('3f2a91c0 and 3f2a91c0', 'aaaaaaa1 and aaaaaaa1'))
    assert.ok(!isAsShown('3f2a91c0 and 3f2a91c0', 'aaaaaaa1 and aaaaaaa2'))
    assert.ok(!isAsShown('3f2a91c0 and 77e01b2d', 'aaaaaaa1 and aaaaaaa1'))
    const learned = matchShown(['saved as 3f2a91c0'], 'saved as aaaaaaa1', new Map())
    assert.ok(learned !== undefined)
    assert.equal(meant('cellar forget 3f2a91c0', learned), 'cellar forget aaaaaaa1')
    assert.ok(!isAsShown('forgot 3f2a91c0', 'forgot aaaaaaa2', learned))
  })

  it('learns codes, tokens and check words', () => {
    const learned = matchShown(
      [
        'cellar join 4211-garden-violin-anchor-lemon',
        'the same on both devices: brisk otter vault',
        'rc1-abc',
      ],
      'cellar join 1-a\n'.replace('1-a', '9876-wasp-million-remind-buyer') +
        'the same on both devices: number able myself\nrc1-XyZ9',
      new Map(),
    )
    assert.deepEqual(
      [...(learned ?? [])],
      [
        ['4211-garden-violin-anchor-lemon', '9876-wasp-million-remind-buyer'],
        ['brisk otter vault', 'number able myself'],
        ['rc1-abc', 'rc1-XyZ9'],
      ],
    )
  })

  it('may leave out lines and parts of lines, where it says so', () => {
    assert.ok(isAsShown('first\n…\nlast', 'first\n2\n3\nlast'))
    assert.ok(isAsShown('…\nlast', 'last'))
    assert.ok(isAsShown('first\n…', 'first\nand more'))
    assert.ok(!isAsShown('first\n…\nlast', 'first\n2\n3'))
    assert.ok(isAsShown('keys …\nstore', 'keys /a/b c\nstore'))
    assert.ok(isAsShown('…\nid 3f2a91c0\n…\nagain 3f2a91c0', 'id aaaaaaa1\nid aaaaaaa2\nagain aaaaaaa2'))
  })

  it('is the beginning of what a command prints that still runs', () => {
    assert.ok(matchShown(['one'], 'one\ntwo', new Map(), false) !== undefined)
    assert.ok(matchShown(['one', 'two'], 'one', new Map(), false) === undefined)
  })
})
