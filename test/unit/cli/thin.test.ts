import assert from 'node:assert/strict'
import type { Status } from '../../../node/client.ts'
import { cellar, type FakeOptions, jsonLines } from './fake-world.ts'
import { STATUS } from './fixtures.ts'

describe('thin devices, as a person sees them', () => {
  const laptop = { device: '12D3KooWlaptop', name: 'laptop' }

  it('devices thin says what it means, there and back', async () => {
    const handlers: FakeOptions['handlers'] = {
      deviceThin: ({ thin }) => ({ ...laptop, thin, epoch: 4 }),
    }
    const on = await cellar(['devices', 'thin', 'laptop'], { handlers })
    assert.deepEqual(on.calls, [{ method: 'deviceThin', params: { device: 'laptop', thin: true } }])
    assert.match(on.stdout, /^laptop is thin: .* waits until laptop has been heard\.\n$/)
    const back = await cellar(['devices', 'thin', 'laptop', '--full'], { handlers })
    assert.deepEqual(back.calls, [{ method: 'deviceThin', params: { device: 'laptop', thin: false } }])
    assert.match(back.stdout, /^laptop stores again like any other/)
    const json = await cellar(['devices', 'thin', 'laptop', '--json'], { handlers })
    assert.deepEqual(jsonLines(json.stdout), [{ message_type: 'thin', ...laptop, thin: true, epoch: 4 }])
  })

  it('devices names those that are thin', async () => {
    const [first] = STATUS.devices
    assert.ok(first !== undefined)
    const thin = { ...first, role: 'writer' as const, capabilities: ['backup', 'read', 'lean'] }
    const shown = await cellar(['devices'], { handlers: { devices: () => [thin] } })
    assert.match(shown.stdout, /writer, thin/)
    const gone = { ...thin, removed: true }
    assert.doesNotMatch((await cellar(['devices'], { handlers: { devices: () => [gone] } })).stdout, /thin/)
  })

  it('status says what is kept and what is elsewhere', async () => {
    const shown = async (thin: Status['thin']) => {
      const status: Status = { ...STATUS, ...(thin !== undefined && { thin }) }
      return (await cellar(['status'], { handlers: { status: () => status } })).stdout
    }
    assert.match(
      await shown({ snapshots: 9, kept: 2, trees_only: 3, elsewhere: 4 }),
      /thin +2 snapshots kept here until others have taken over, of 3 snapshots only the folders are here, 4 snapshots elsewhere\n/,
    )
    assert.match(
      await shown({ snapshots: 1, kept: 0, trees_only: 1, elsewhere: 0 }),
      /thin +nothing waits for others, of 1 snapshot only the folders are here\n/,
    )
    assert.doesNotMatch(await shown(undefined), /^ *thin/m)
  })
})
