/** Story 13: my house burned down but for the Pi. The phrase on paper, a new laptop and the Pi are enough. */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Device, finish, type Finished, jsonLines } from '../tools/cellar.ts'
import {
  backUp,
  checkAll,
  failedWith,
  Household,
  placeOf,
  restoreSame,
  snapshotsOf,
  statusOf,
  untilAllHold,
  untilStatus,
} from '../tools/household.ts'
import { searchLeaks } from '../tools/leaks.ts'
import { makeTree } from '../tools/make-tree.ts'

const mebibyte = 1024 * 1024

interface RecoverySaid {
  readonly paper?: { readonly device: string; readonly name: string }
  readonly confirmed?: string
  readonly opens: boolean
  readonly admitted: readonly string[]
  readonly vaults: number
}

/** Runs `recover` with a phrase in a file; never as an argument. */
async function tryRecover(device: Device, at: string, phraseFile: string): Promise<Finished> {
  const finished = await device.try(...recoverArgs(device, at, phraseFile))
  device.keepOffNetworks()
  return finished
}

function recoverArgs(device: Device, at: string, phraseFile: string): string[] {
  const where = ['--at', at, '--phrase-file', phraseFile]
  return ['--json', 'recover', ...where, '--name', device.name, '--listen', '127.0.0.1:0']
}

describe('story 13: the house burned down but for the Pi', function () {
  this.timeout(300_000)
  let house: Household
  let pi: Device
  let newLaptop: Device
  let phrase: string
  const phraseFile = () => join(house.path('paper'), 'phrase.txt')
  const sources = { desktop: '', laptop: '' }
  const snapshots = { desktop: '', laptop: '' }

  before(async () => {
    house = new Household()
    const [desktop, laptop] = [house.device('desktop'), house.device('laptop')]
    pi = house.device('pi')
    newLaptop = house.device('new-laptop')
    mkdirSync(house.path('paper'))
    await desktop.init('keeper', '--recovery-file', phraseFile(), '--recovery-kit', house.path('kit.html'))
    phrase = readFileSync(phraseFile(), 'utf8').trim()
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    await laptop.start()
    await desktop.admit(pi, 'storer')
    await pi.start()
    for (const [name, device] of [
      ['desktop', desktop],
      ['laptop', laptop],
    ] as const) {
      sources[name] = house.path(`${name}-files`)
      makeTree(sources[name], { seed: `story 13 ${name}`, filesSmall: 60, largeBytes: 4 * mebibyte })
      snapshots[name] = (await backUp(device, sources[name], '--wait')).id
    }
    // The paper is no device that anything waits for: all snapshots are where they should be.
    await untilAllHold([desktop, laptop, pi], 2)
    const status = await statusOf(desktop)
    assert.deepEqual(
      status?.devices.map(({ name }) => name),
      ['desktop', 'laptop', 'pi'],
    )
    assert.equal(status.mesh.devices, 3)
    assert.deepEqual(status.problems, [])

    await desktop.stop()
    const homes = [desktop, laptop, pi].map(({ home }) => home)
    const needles = [phrase, phrase.split(' ').slice(3, 8).join(' ')].map((text) => Buffer.from(text))
    for (const home of homes) assert.deepEqual(searchLeaks(home, needles).leaks, [])
    assert.equal(searchLeaks(house.path('paper'), needles).leaks.length, 2) // the search can find it
    await desktop.lose()
    await laptop.lose()
  })
  after(() => house[Symbol.asyncDispose]())

  it('the phrase and the page to print are files that only I can read', () => {
    assert.equal(phrase.split(' ').length, 24)
    for (const file of [phraseFile(), house.path('kit.html')])
      assert.equal(statSync(file).mode & 0o777, 0o600, file)
    const page = readFileSync(house.path('kit.html'), 'utf8')
    assert.match(page, /^<!doctype html>/)
    const words = [...page.matchAll(/<li>([a-z]+)<\/li>/g)].map(([, word]) => word)
    assert.equal(words.join(' '), phrase)
    assert.match(page, /<svg /)
    assert.match(page, /desktop/)
    assert.ok(page.includes("default-src 'none'"))
    // Nothing is asked of anybody when it is opened; the name of the language of pictures is no request.
    const elsewhere = page.replaceAll('http://www.w3.org/2000/svg', '')
    assert.doesNotMatch(elsewhere, /https?:|\ssrc=|\shref=|url\(|@import|<script|<link|<img|<iframe/i)
  })

  it('a wrong phrase is refused, and the error names the place of a word', async () => {
    const wrong = house.path('wrong.txt')
    const write = (text: string) => {
      writeFileSync(wrong, `${text}\n`, { mode: 0o600 })
    }
    write(phrase.split(' ').with(6, 'rootcellar').join(' '))
    const unknown = await tryRecover(newLaptop, placeOf(pi), wrong)
    assert.equal(failedWith(unknown, 12), 'PHRASE_WRONG')
    assert.match(unknown.stderr, /word 7 is not on the list/)
    write(phrase.split(' ').slice(1).join(' '))
    const short = await tryRecover(newLaptop, placeOf(pi), wrong)
    assert.equal(failedWith(short, 12), 'PHRASE_WRONG')
    assert.match(short.stderr, /23 words, not 24/)
    // One that is right in itself, and of no mesh.
    write([...Array<string>(23).fill('abandon'), 'art'].join(' '))
    const other = await tryRecover(newLaptop, placeOf(pi), wrong)
    assert.equal(failedWith(other, 12), 'PHRASE_WRONG')
    assert.ok(!existsSync(join(newLaptop.home, 'device.key')))
  })

  it('a phrase that everybody on the machine can read is not taken', async () => {
    const open = house.path('open.txt')
    writeFileSync(open, phrase, { mode: 0o644 })
    assert.equal(failedWith(await tryRecover(newLaptop, placeOf(pi), open), 1), 'KEY_MODE')
  })

  it('recovering, killed on the way and begun again, makes one keeper and not two', async () => {
    const child = newLaptop.spawn(recoverArgs(newLaptop, placeOf(pi), phraseFile()))
    const ended = finish(child)
    child.stdout?.on('data', (text: string) => {
      if (text.includes('"opened"')) child.kill('SIGKILL')
    })
    await ended
    newLaptop.keepOffNetworks()
    const again = await tryRecover(newLaptop, placeOf(pi), phraseFile())
    // It was quick enough to end before it was killed: then there is a device already.
    if (again.status !== 0) assert.equal(failedWith(again, 1), 'MESH_EXISTS')
    else {
      const said = jsonLines(again.stdout).at(-1)
      assert.equal(said?.['message_type'], 'recovered')
      assert.equal(said['name'], 'new-laptop')
      assert.equal(said['role'], 'keeper')
      assert.equal(said['from_name'], 'pi')
      assert.ok(!again.stdout.includes(phrase))
    }
    const onPi = await untilStatus(pi, 'the new laptop is a member', ({ devices }) =>
      devices.some(({ name }) => name === 'new-laptop'),
    )
    assert.deepEqual(
      onPi.devices.map(({ name }) => name),
      ['desktop', 'laptop', 'pi', 'new-laptop'],
    )
    // What was used is told, also where nothing can be read.
    const used = onPi.problems.filter(({ code }) => code === 'PHRASE_USED')
    assert.ok(used.some(({ message }) => message.includes('let new-laptop in')))
    assert.ok(used.some(({ message }) => message.includes('asked pi for the keys')))
  })

  it('every file comes back, byte for byte, of both devices that burned', async () => {
    await newLaptop.start()
    const known = await snapshotsOf(newLaptop)
    assert.deepEqual(known.map(({ id }) => id).sort(), Object.values(snapshots).sort())
    for (const name of ['desktop', 'laptop'] as const)
      await restoreSame(newLaptop, snapshots[name], sources[name], house.path(`back-${name}`))
  })

  it('the new laptop is a keeper: it removes what burned, and backs up again', async () => {
    for (const name of ['desktop', 'laptop']) {
      const removed = await newLaptop.json('devices', 'remove', name)
      assert.equal(removed['vault_changed'], true)
    }
    const again = house.path('new-files')
    makeTree(again, { seed: 'story 13 again', filesSmall: 20, largeBytes: mebibyte })
    const { id } = await backUp(newLaptop, again, '--wait')
    await untilAllHold([newLaptop, pi], 3)
    await restoreSame(newLaptop, id, again, house.path('back-again'), '--from', 'pi')
    await checkAll(newLaptop)
    await checkAll(pi)
  })

  it('a new phrase takes the place of the one that was used, which opens nothing more', async () => {
    const before = await newLaptop.json<RecoverySaid>('recovery')
    assert.deepEqual(before.admitted, ['new-laptop'])
    assert.equal(before.confirmed, undefined)
    assert.equal(failedWith(await newLaptop.try('--json', 'recovery', 'new'), 2), 'USAGE')
    const fresh = house.path('phrase-2.txt')
    const made = await newLaptop.json('recovery', 'new', '--recovery-file', fresh)
    assert.equal(made['replaced'], true)
    assert.equal(made['recovery_phrase'], undefined)
    const confirmed = await newLaptop.json('recovery', 'confirm', '--phrase-file', fresh)
    assert.equal(confirmed['message_type'], 'recovery_confirmed')
    const old = await newLaptop.try('--json', 'recovery', 'confirm', '--phrase-file', phraseFile())
    assert.equal(failedWith(old, 12), 'PHRASE_WRONG')
    const after = await newLaptop.json<RecoverySaid>('recovery')
    assert.equal(after.opens, true)
    assert.deepEqual(after.admitted, [])
    assert.ok(after.confirmed !== undefined && after.vaults >= 4)
    await untilStatus(pi, 'the old phrase is forgotten', ({ problems }) =>
      problems.every(({ message }) => !message.includes('let new-laptop in')),
    )
    const thief = house.device('thief')
    assert.equal(failedWith(await tryRecover(thief, placeOf(pi), phraseFile()), 12), 'PHRASE_WRONG')
  })

  it('and it all works once more, with the new phrase, over all keys that there have been', async () => {
    await newLaptop.lose()
    const third = house.device('third')
    const recovered = await tryRecover(third, placeOf(pi), house.path('phrase-2.txt'))
    assert.equal(recovered.status, 0, recovered.stderr)
    await third.start()
    for (const name of ['desktop', 'laptop'] as const)
      await restoreSame(third, snapshots[name], sources[name], house.path(`third-${name}`))
    await backUp(third, house.path('new-files'))
    assert.equal((await snapshotsOf(third)).length, 4)
  })
})
