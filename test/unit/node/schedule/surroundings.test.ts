import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineSurroundings } from '../../../../node/adapters/machine-surroundings.ts'
import {
  AT_HOME,
  busctlNumber,
  hindranceOf,
  isMeteredValue,
  type PowerSupply,
  runsOnBattery,
} from '../../../../node/schedule/surroundings.ts'

const battery = (status: string, scope?: string): PowerSupply => ({
  type: 'Battery',
  status,
  scope,
  online: undefined,
})
const mains = (online: string): PowerSupply => ({
  type: 'Mains',
  online,
  scope: undefined,
  status: undefined,
})

describe('a machine', () => {
  it('runs on its battery when that is emptied and nothing gives power', () => {
    assert.equal(runsOnBattery([battery('Discharging'), mains('0')]), true)
    assert.equal(runsOnBattery([battery('Discharging')]), true)
  })

  it('does not while it has power, is full, or has none', () => {
    assert.equal(runsOnBattery([]), false)
    assert.equal(runsOnBattery([mains('1')]), false)
    assert.equal(runsOnBattery([battery('Charging'), mains('1')]), false)
    assert.equal(runsOnBattery([battery('Full'), mains('1')]), false)
    assert.equal(runsOnBattery([battery('Not charging'), mains('0')]), false)
    // Some discharge a little while the charger is in.
    assert.equal(runsOnBattery([battery('Discharging'), mains('1')]), false)
    const usb = { type: 'USB', online: '1', scope: undefined, status: undefined }
    assert.equal(runsOnBattery([battery('Discharging'), mains('0'), usb]), false)
  })

  it('does not because its mouse has a battery', () => {
    assert.equal(runsOnBattery([battery('Discharging', 'Device')]), false)
  })

  it('is asked for what a task minds only', async () => {
    const asked: string[] = []
    const around = {
      isOnBattery: () => Promise.resolve(asked.push('battery') > 0),
      isMetered: () => Promise.resolve(asked.push('metered') > 0),
    }
    assert.equal(await hindranceOf(undefined, around), undefined)
    assert.equal(await hindranceOf({ onBattery: true, onMetered: true }, around), undefined)
    assert.deepEqual(asked, [])
    assert.equal(await hindranceOf({ onBattery: true, onMetered: false }, around), 'metered')
    assert.equal(await hindranceOf({ onBattery: false, onMetered: false }, around), 'battery')
    assert.deepEqual(asked, ['metered', 'battery'])
    assert.equal(await hindranceOf({ onBattery: false, onMetered: false }, AT_HOME), undefined)
  })
})

describe('what NetworkManager says', () => {
  it('is a number, of which two mean a price', () => {
    assert.deepEqual([0, 1, 2, 3, 4].map(isMeteredValue), [false, true, false, true, false])
    assert.equal(busctlNumber('u 4\n'), 4)
    assert.equal(busctlNumber('s "no"\n'), undefined)
    assert.equal(busctlNumber(''), undefined)
  })
})

describe('this machine', () => {
  let directory: string
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'cellar-power-'))))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const supply = (name: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(join(directory, name))
    for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, name, file), `${text}\n`)
  }
  const program = (text: string) => {
    const path = join(directory, 'busctl')
    writeFileSync(path, `#!/bin/sh\n${text}\n`)
    chmodSync(path, 0o755)
    return path
  }

  it('is read from the files of the kernel', async () => {
    const machine = machineSurroundings({ powerSupply: directory })
    assert.equal(await machine.isOnBattery(), false)
    supply('BAT0', { type: 'Battery', status: 'Discharging' })
    supply('AC', { type: 'Mains', online: '0' })
    assert.equal(await machine.isOnBattery(), true)
    writeFileSync(join(directory, 'AC', 'online'), '1\n')
    assert.equal(await machine.isOnBattery(), false)
  })

  it('has power where there are no such files (J4.2)', async () => {
    const machine = machineSurroundings({ powerSupply: join(directory, 'none') })
    assert.equal(await machine.isOnBattery(), false)
  })

  it('asks NetworkManager by the bus, and takes no answer for no price (J4.2)', async () => {
    const metered = (busctl: string) => machineSurroundings({ busctl }).isMetered()
    const asked = program(`[ "$*" = "--system --auto-start=no get-property org.freedesktop.NetworkManager \
/org/freedesktop/NetworkManager org.freedesktop.NetworkManager Metered" ] && echo "u 1"`)
    assert.equal(await metered(asked), true)
    assert.equal(await metered(program('echo "u 2"')), false)
    assert.equal(await metered(program('echo "Could not activate remote peer" >&2; exit 1')), false)
    assert.equal(await metered(join(directory, 'no-such-program')), false)
  })
})
