/** The whole story in a real browser, against real nodes: from pairing to a peer that went silent and came back. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import decodeQR from 'qr/decode.js'
import type { Joined } from '../../node/client.ts'
import { type Device, jsonLines } from '../tools/cellar.ts'
import { AT_ONCE, setSettings } from '../tools/forgetting.ts'
import { backUp, Household, placeOf, untilAllHold } from '../tools/household.ts'
import { assertForEveryone } from './accessible.ts'
import { enter, linkInto, needsBrowser, openBrowser, person } from './browser.ts'
import { writeDocuments } from './settled.ts'

const coldLetter = 'Dear landlord,\nthe heating is cold.\n'
const warmLetter = 'Dear landlord,\nit is warm now. Thank you.\n'

describe('a household in the browser', function () {
  this.timeout(300_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let pi: Device
  let source: string
  let browser: Browser | undefined
  let context: BrowserContext
  let page: Page
  let origin: string

  before(async function () {
    needsBrowser(this)
    house = new Household()
    ;[desktop, laptop, pi] = [house.device('desktop'), house.device('laptop'), house.device('pi')]
    source = house.path('Documents')
    writeDocuments(source)
    await desktop.init()
    // New Year's Eve: by hand before, in every test that is not run at midnight.
    setSettings(desktop, `${AT_ONCE}[profile.papers]\nsources = ["${source}"]\nschedule = "59 23 31 12 *"\n`)
    await desktop.start()
    browser = await openBrowser()
    context = await person(browser)
    ;({ page, origin } = await enter(context, desktop))
  })
  // Each goes on where the one before has ended.
  let isBroken = false
  beforeEach(function () {
    if (isBroken) this.skip()
  })
  afterEach(function () {
    isBroken ||= this.currentTest?.state === 'failed'
  })
  after(async () => {
    if (browser === undefined) return
    await browser.close()
    await house[Symbol.asyncDispose]()
  })

  async function go(title: string): Promise<void> {
    await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: title }).click()
    await page.getByRole('heading', { name: title, level: 1, exact: true }).waitFor()
  }

  /** What is so, as the screen begins. */
  const sentence = (text: string | RegExp): Locator => page.locator('.lead .sentence').getByText(text)

  /** Waits for the few words that say that something was done, and puts them away. */
  async function told(text: string | RegExp): Promise<void> {
    const toast = page.locator('.toast').filter({ hasText: text })
    await toast.first().waitFor()
    await toast.first().getByRole('button', { name: 'Close this message' }).click()
  }

  /** Pairs from the page. @returns the code and what the QR code holds */
  async function pair(newcomer: Device, role: string): Promise<void> {
    await page.getByRole('link', { name: 'Pair a device' }).click()
    await page.getByRole('radio', { name: new RegExp(`^${role}`) }).check()
    await page.getByRole('button', { name: 'Show the code' }).click()
    const code = await page.locator('.code').innerText()
    assert.match(code, /^\d{4}-[a-z]+-[a-z]+-[a-z]+-[a-z]+$/)
    const scanned = decode((await page.locator('.qr path').getAttribute('d')) ?? '')
    assert.ok(scanned.startsWith(`cellar join ${code}`), scanned)
    const { stdout } = await newcomer.join(code, placeOf(desktop))
    const joined = jsonLines(stdout).at(-1) as unknown as Joined
    await page.getByRole('heading', { name: `${newcomer.name} has joined as ${role}` }).waitFor()
    assert.equal(await page.locator('.code').innerText(), joined.check_words.join(' '))
    await page.getByRole('button', { name: 'The words are the same' }).click()
  }

  it('pairs a laptop and a box from the page, by the code that it shows and draws', async () => {
    await go('Devices')
    await sentence('This device is alone').waitFor()
    await pair(laptop, 'writer')
    await pair(pi, 'storer')
    // So slow that what it restores in a moment can be followed: KiB a second.
    setSettings(laptop, `limit_download = 500\nrestores = "${house.path('there')}"\n`)
    await Promise.all([laptop.start(), pi.start()])
    await sentence('All 3 devices are connected.').waitFor()
  })

  it('backs up, and sees without a reload how the copies come', async () => {
    await go('Activity')
    await page.getByRole('button', { name: 'Run the backup' }).click()
    await told('Backed up papers')
    await go('Snapshots')
    await sentence('The one snapshot is on as many devices as it should be.').waitFor()
    await go('Home')
    await page.locator('.lead.good').getByText('on every device that stores').waitFor()
  })

  it('browses to a file and reads it', async () => {
    await go('Files')
    await page.getByRole('main').getByRole('link', { name: source }).click()
    await page.getByRole('link', { name: 'letters' }).click()
    await page.getByRole('link', { name: 'landlord.txt' }).click()
    await sentence('landlord.txt of desktop').waitFor()
    await page.getByText('the heating is cold.').waitFor()
  })

  it('finds the versions of the file, and restores the older one beside', async () => {
    writeFileSync(join(source, 'letters', 'landlord.txt'), warmLetter)
    await backUp(desktop, source)
    await go('Files')
    await page.getByRole('searchbox').fill('landlord')
    await page.getByRole('searchbox').press('Enter')
    await page.getByRole('main').getByRole('link', { name: 'landlord.txt' }).first().click()
    await page.getByText('it is warm now.').waitFor()
    const versions = page.getByRole('table', { name: 'Versions of landlord.txt' }).locator('tbody tr')
    await versions.nth(1).waitFor()
    assert.equal(await versions.count(), 2)
    await versions.nth(1).getByRole('link', { name: 'Show' }).click()
    await page.getByText('the heating is cold.').waitFor()

    const target = house.path('restored')
    await page.getByRole('button', { name: 'Restore…', exact: true }).first().click()
    await page.getByRole('textbox', { name: 'Directory' }).fill(target)
    await page.getByRole('dialog').getByRole('button', { name: 'Restore', exact: true }).click()
    await page.getByText(`restored to ${target}`).waitFor()
    assert.equal(readFileSync(join(target, 'landlord.txt'), 'utf8'), coldLetter)
    assert.equal(readFileSync(join(source, 'letters', 'landlord.txt'), 'utf8'), warmLetter)
    rmSync(target, { recursive: true })
  })

  it('has a file restored on the laptop, whose person is asked there, and follows it to its end', async () => {
    const film = randomBytes(6 * 1024 * 1024)
    writeFileSync(join(source, 'film.bin'), film)
    await backUp(desktop, source)
    await go('Files')
    await page.getByRole('main').getByRole('link', { name: source }).click()
    await page.getByRole('link', { name: 'film.bin' }).click()
    await page.getByRole('button', { name: 'Restore…', exact: true }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('radio', { name: 'On another device' }).check()
    await dialog.getByRole('combobox', { name: 'Other device' }).selectOption('laptop')
    await dialog.getByRole('button', { name: 'Restore', exact: true }).click()
    await told('Restoring “film.bin” on laptop: it waits for somebody at laptop.')

    const there = await person(browser!)
    const { page: theirs, origin: at } = await enter(there, laptop)
    await theirs.goto(`${at}/#/files`)
    await theirs.getByText('desktop asks to restore “film.bin” here: it waits for you.').waitFor()
    await theirs.getByRole('button', { name: 'Accept' }).click()
    // Of both: how far it is, between nothing and all of it.
    const bar = '.order progress[value^="0."]'
    await Promise.all([page, theirs].map((one) => one.locator(bar).waitFor()))
    await Promise.all([
      assertForEveryone(page, 'a restore that another device does'),
      assertForEveryone(theirs, 'a restore under way'),
    ])
    await page.getByText('Restoring “film.bin” on laptop: done, in film.bin.').waitFor()
    await there.close()
    assert.ok(readFileSync(join(house.path('there'), 'film.bin', 'film.bin')).equals(film))
  })

  it('forgets a snapshot, and brings it back', async () => {
    await untilAllHold([desktop, laptop, pi], 3)
    await forgetOldest()
    await go('Trash')
    await sentence('1 forgotten snapshot is in the trash').waitFor()
    await page.getByRole('button', { name: /^Bring back/ }).click()
    await told(/is back/)
    await sentence('The trash is empty').waitFor()
    await untilAllHold([desktop, laptop, pi], 3)
  })

  /** Forgets the oldest snapshot that is shown. */
  async function forgetOldest(): Promise<void> {
    await go('Snapshots')
    await page.getByRole('main').getByRole('table').getByRole('link').last().click()
    await page.getByRole('button', { name: 'Forget…' }).click()
    await page.getByRole('button', { name: 'Forget it' }).click()
    await told('Forgotten')
  }

  it('says for whom the space of a forgotten snapshot waits, and what the removal of that device would mean', async () => {
    await desktop.run('devices', 'lean', 'laptop')
    await laptop.stop()
    await forgetOldest()
    await go('Trash')
    const waiting = page.getByRole('table', { name: 'What waits to be freed' })
    await waiting.getByRole('rowheader').filter({ hasText: 'laptop' }).waitFor()
    await go('Devices')
    await sentence('laptop is not connected').waitFor()
    await page.getByRole('link', { name: 'Remove laptop' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText(/of 1 forgotten snapshot waits here for laptop/).waitFor()
    await dialog.getByText('sealed under a new key').waitFor()
    await dialog.getByRole('button', { name: 'Keep it' }).click()
    await dialog.waitFor({ state: 'detached' })
  })

  it('sees a device go silent and come back, and what waited for it go', async () => {
    await pi.stop()
    await sentence('no other is connected now').waitFor()
    await Promise.all([laptop.start(), pi.start()])
    await sentence('All 3 devices are connected.').waitFor()
    await go('Trash')
    await page.getByText('Nothing waits').waitFor()
  })

  it('renames a device, everywhere on the page', async () => {
    await go('Devices')
    await page.getByRole('link', { name: 'Rename pi' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill('cupboard')
    await page.getByRole('textbox', { name: 'Name' }).press('Enter')
    await told('pi is now cupboard.')
    await page.getByRole('rowheader', { name: 'cupboard' }).waitFor()
  })

  it('says when the node is gone, and how to get in when it was started again', async () => {
    await desktop.stop()
    await page.getByText('does not answer').waitFor()
    await desktop.start()
    // Another process may have the port meanwhile; then this browser has nobody to ask.
    const link = await linkInto(desktop)
    if (link.origin === origin) await page.getByRole('heading', { name: 'Your session has ended' }).waitFor()
    await page.goto(link.href)
    await page.waitForURL(`${link.origin}/`)
    await sentence(/./).waitFor()
  })
})

/** Reads the path that draws a QR code: squares, each run `M x y h w …`. */
function decode(path: string): string {
  const runs = [...path.matchAll(/M(\d+) (\d+)h(\d+)/g)].map(([, x, y, width]) => [x, y, width].map(Number))
  const border = 4
  const size = Math.max(...runs.map(([x = 0, , width = 0]) => x + width)) + border
  const scale = 4
  const data = new Uint8ClampedArray((size * scale) ** 2 * 4).fill(255)
  for (const [x = 0, y = 0, width = 0] of runs)
    for (let row = y * scale; row < (y + 1) * scale; row++)
      for (let column = x * scale; column < (x + width) * scale; column++)
        data.fill(0, (row * size * scale + column) * 4, (row * size * scale + column) * 4 + 3)
  return decodeQR({ width: size * scale, height: size * scale, data })
}
