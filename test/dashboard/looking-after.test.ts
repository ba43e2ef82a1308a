/** Copies, trash, activity and health in a real browser: what they say is so, and what a click does. */

import assert from 'node:assert/strict'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import type { Device } from '../tools/cellar.ts'
import { forget, setSettings, trashOf } from '../tools/forgetting.ts'
import { backUp, Household, statusOf, untilAllHold, untilStatus } from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'
import { assertForEveryone } from './accessible.ts'
import { enter, needsBrowser, openBrowser, person } from './browser.ts'

describe('copies, trash, activity and health in a real browser', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let pi: Device
  let browser: Browser | undefined
  let context: BrowserContext
  let page: Page
  let origin: string
  let first: string

  before(async function () {
    needsBrowser(this)
    house = new Household()
    ;[desktop, pi] = [house.device('desktop'), house.device('pi')]
    const files = house.path('files')
    makeTree(files, { seed: 'looking after', filesSmall: 30, largeBytes: 2 * 1024 * 1024 })
    await desktop.init()
    await desktop.start()
    await desktop.admit(pi, 'storer')
    await pi.start()
    first = (await backUp(desktop, files)).id
    await untilAllHold([desktop, pi], 1)
    browser = await openBrowser()
    context = await person(browser)
    ;({ page, origin } = await enter(context, desktop))
  })
  after(async () => {
    if (browser === undefined) return
    await browser.close()
    await house[Symbol.asyncDispose]()
  })

  /** Goes to a screen, and waits until it says something of this kind. */
  async function at(name: string, sentence: RegExp): Promise<void> {
    await page.goto(`${origin}/#/${name}`)
    await says(sentence)
  }

  async function says(sentence: RegExp): Promise<void> {
    await page.locator('.sentence', { hasText: sentence }).waitFor()
  }

  function row(of: string, text: RegExp): Locator {
    return page.getByRole('table', { name: of }).getByRole('row').filter({ hasText: text })
  }

  it('copies: nobody could read what only a storer has, until there is paper or another reader', async () => {
    await at('copies', /If desktop died now, nobody could read the copies/)
    await row('What the loss of each device would mean', /desktop.*nobody/).waitFor()
    await page.getByLabel('Show').selectOption('all')
    await row('Snapshots, and the devices that have them', /2 of 2/).waitFor()
  })

  it('copies: what is on one device only would be lost, and is not once another has it', async () => {
    await pi.stop()
    const files = house.path('more')
    makeTree(files, { seed: 'more', filesSmall: 5, largeBytes: 1024 })
    await backUp(desktop, files)
    // Nobody reloads: the page hears of it.
    await says(/If desktop died now, 1 snapshot .*would be lost/)
    await page.getByRole('link', { name: /1 snapshot lost without desktop/ }).click()
    await row('Snapshots, and the devices that have them', /1 of 2/).waitFor()
    await pi.start()
    await says(/nobody could read the copies/)
  })

  it('trash: brings back what was forgotten', async () => {
    await at('trash', /The trash is empty/)
    await forget(desktop, first)
    await says(/1 forgotten snapshot is in the trash/)
    await row('Forgotten snapshots that can be brought back', /goes in 7 days/).waitFor()
    await row('What waits to be freed on this device, and for whom', /the hold window.*in 7 days/).waitFor()
    await page.getByRole('button', { name: /^Bring back snapshot/ }).click()
    await says(/The trash is empty/)
    assert.deepEqual(await trashOf(desktop), [])
    await untilAllHold([desktop, pi], 2)
  })

  it('activity: follows what is under way, cancels it, and remembers it', async () => {
    await at('activity', /Nothing is under way/)
    await row('What was done, the newest first', /Backup.*done/)
      .first()
      .waitFor()
    // A drip: it goes on until somebody ends it.
    const scrub = desktop.try('scrub', '--limit', '1')
    await says(/Under way: scrub/)
    await page.getByRole('button', { name: 'Cancel the scrub' }).click()
    await page.getByRole('dialog').waitFor()
    await assertForEveryone(page, 'cancelling work')
    await page.getByRole('button', { name: 'Cancel it' }).click()
    assert.equal((await scrub).status, 130)
    await says(/Nothing is under way/)
    await row('What was done, the newest first', /Scrub.*cancelled/).waitFor()
  })

  it('health: looks when asked, and says what came of it', async () => {
    await at('health', /no restore has been tried yet/)
    await page.getByRole('button', { name: 'Try a restore now' }).click()
    await says(/files were last restored .* from pi/)
    await page.getByRole('button', { name: 'Read everything now' }).click()
    await says(/All that was read again is good/)
    const { watching } = (await statusOf(desktop))!
    assert.equal(watching.drill?.outcome, 'passed')
    assert.ok(watching.scrub.bytes_read > 2 * 1024 * 1024)
    await untilStatus(desktop, 'rests', ({ jobs }) => jobs.length === 0)
  })

  it('activity: what was begun on a page goes on without it, and the next one shows and cancels it', async () => {
    // KiB a second: what is read from the Pi takes minutes.
    setSettings(desktop, 'limit_download = 20\n')
    await desktop.run('config', 'reload')
    await at('health', /files were last restored/)
    await page.getByRole('button', { name: 'Try a restore now' }).click()
    await page.getByRole('button', { name: 'Stop: Try a restore now' }).waitFor()
    await assertForEveryone(page, 'a restore drill under way')
    await page.close()
    ;({ page, origin } = await enter(context, desktop))
    await at('health', /files were last restored/)
    await page.getByRole('button', { name: 'Stop: Try a restore now' }).waitFor()
    await at('activity', /Under way: restore drill/)
    await page.getByRole('button', { name: 'Cancel the restore drill' }).click()
    await page.getByRole('button', { name: 'Cancel it' }).click()
    await says(/Nothing is under way/)
    await row('What was done, the newest first', /Restore drill.*cancelled/).waitFor()
  })
})
