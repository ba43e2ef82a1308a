import assert from 'node:assert/strict'
import type { DeviceLoss, SnapshotCopies } from '../../../node/api.ts'
import {
  copiesSentence,
  lossText,
  readersText,
  stateOf,
  waitsText,
} from '../../../node/dashboard/page/copies/words.ts'

function device(name: string, more: Partial<DeviceLoss> = {}): DeviceLoss {
  return {
    ...{ device: `id of ${name}`, name, self: false, connected: true, holds: 5, lost: 0, one_left: 0 },
    ...{ too_few: 0, readers_left: 1, waits_for: 0 },
    ...more,
  }
}

function say(devices: readonly DeviceLoss[], paper = false): readonly [string, string] {
  const { sentence, tone } = copiesSentence({ devices, paper })
  return [tone, sentence]
}

describe('what the screen of copies says', () => {
  it('names the device whose death would cost the most, and who could take copies', () => {
    const laptop = device('laptop', { lost: 2, lost_bytes: 5 * 1024 ** 2 })
    const pi = device('pi', { waits_for: 2, connected: false })
    const { sentence, tone, todo } = copiesSentence({ devices: [laptop, pi], paper: true })
    assert.equal(sentence, 'If laptop died now, 2 snapshots (about 5.00 MiB) would be lost.')
    assert.equal(tone, 'bad')
    assert.equal(todo, 'Start rootcellar on pi: it has copies to receive.')
    const near = copiesSentence({ devices: [laptop, { ...pi, connected: true }], paper: true })
    assert.equal(near.todo, 'Copies are on their way; leave the devices on.')
  })

  it('says that one device alone is no backup', () => {
    const [tone, sentence] = say([device('desktop', { lost: 9, readers_left: 0 })])
    assert.equal(tone, 'bad')
    assert.match(sentence, /everything would be lost/)
  })

  it('is alarmed when nobody could read the copies, unless there is paper', () => {
    const devices = [device('laptop', { readers_left: 0 }), device('pi')]
    assert.match(say(devices)[1], /If laptop died now, nobody could read/)
    assert.deepEqual(say(devices, true), [
      'good',
      'Any one device could die now, and no snapshot would be lost.',
    ])
  })

  it('warns of snapshots that would be on one device only', () => {
    const [tone, sentence] = say([
      device('desktop', { one_left: 3, too_few: 3 }),
      device('pi'),
      device('nas'),
    ])
    assert.deepEqual([tone, /3 snapshots would be on one device only/.test(sentence)], ['warn', true])
  })

  it('is calm where two devices have all there is', () => {
    // Of two, each is the last of the other: that is what was asked for.
    assert.equal(say([device('desktop', { one_left: 5 }), device('pi', { one_left: 5 })])[0], 'good')
    assert.equal(say([device('desktop', { holds: 0 }), device('pi', { holds: 0 })])[0], 'plain')
  })

  it('says of each device what would be without it', () => {
    assert.deepEqual(lossText(device('a', { lost: 1, one_left: 4 })), {
      sentence: '1 snapshot lost',
      tone: 'bad',
      also: '4 left on one device only',
    })
    assert.equal(lossText(device('a', { too_few: 4 })).tone, 'warn')
    assert.equal(lossText(device('a')).sentence, 'nothing lost')
    assert.equal(lossText(device('a', { holds: 0 })).sentence, 'nothing changes')
    assert.equal(waitsText(device('a', { waits_for: 1 })), '1 snapshot')
    assert.equal(waitsText(device('a', { waits_for: 2, missing_bytes: 2048 })), '2 snapshots, about 2.00 KiB')
    assert.deepEqual(
      [readersText(device('a'), false), readersText(device('a', { readers_left: 0 }), true)],
      ['1', 'only paper'],
    )
  })

  it('says how far a snapshot has come', () => {
    const copies = (more: Partial<SnapshotCopies>) =>
      stateOf({ copies: 2, copies_wanted: 2, doubted: [], ...more } as unknown as SnapshotCopies)
    assert.deepEqual(copies({}), { sentence: '2 of 2', tone: 'good' })
    assert.equal(copies({ copies: 1, copies_wanted: 1 }).tone, 'warn')
    assert.equal(copies({ copies: 0 }).tone, 'bad')
    assert.equal(copies({ copies: 3, doubted: ['pi'] }).tone, 'warn')
  })
})
