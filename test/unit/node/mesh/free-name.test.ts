import assert from 'node:assert/strict'
import { freeName } from '../../../../node/mesh/free-name.ts'
import type { DeviceId, Member, Membership } from '../../../../protocol/index.ts'

const member = (device: string, name: string, removedEpoch?: number) =>
  ({ device, name, removedEpoch }) as unknown as Member

function membershipOf(...members: Member[]): Membership {
  return { members: new Map(members.map((one) => [one.device, one])) } as unknown as Membership
}

describe('the name of a new device', () => {
  const newcomer = 'new' as DeviceId

  it('is the one wished for, or has a number behind it while another device is called that (M3.7)', () => {
    assert.equal(freeName(membershipOf(member('a', 'pi')), newcomer, 'laptop'), 'laptop')
    assert.equal(freeName(membershipOf(member('a', 'laptop')), newcomer, 'laptop'), 'laptop-2')
    const both = membershipOf(member('a', 'laptop'), member('b', 'laptop-2'))
    assert.equal(freeName(both, newcomer, 'laptop'), 'laptop-3')
    assert.equal(freeName(membershipOf(member('new', 'laptop')), newcomer, 'laptop'), 'laptop')
  })

  it('may be that of a device that was removed', () => {
    const removed = membershipOf(member('a', 'laptop', 4), member('b', 'desktop'))
    assert.equal(freeName(removed, newcomer, 'laptop'), 'laptop')
    const again = membershipOf(member('a', 'laptop', 4), member('b', 'laptop'))
    assert.equal(freeName(again, newcomer, 'laptop'), 'laptop-2')
  })
})
