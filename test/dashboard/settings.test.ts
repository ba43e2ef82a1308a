/** Settings changed on the page by a person, over a real node and its real file; and what is said when the node goes. */

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import type { Device } from '../tools/cellar.ts'
import { Household, statusOf } from '../tools/household.ts'
import { enter, needsBrowser, openBrowser, person } from './browser.ts'

describe('settings on the page of a running node', function () {
  this.timeout(300_000)
  let house: Household | undefined
  let device: Device
  let browser: Browser
  let page: Page
  const text = (): string => readFileSync(join(device.home, 'config.toml'), 'utf8')

  before(async function () {
    needsBrowser(this)
    house = new Household()
    device = house.device('desktop')
    await device.init()
    const mine = [
      '',
      '[profile.papers] # all of them',
      `sources = ["${house.base}"]`,
      'exclude = [',
      '  "*.tmp", # vim',
      ']',
      // An address of its own: after a restart it is there again, whatever else runs on this machine.
      '[dashboard]',
      `  listen = "127.1.${String(randomInt(1, 255))}.${String(randomInt(1, 255))}:4518"`,
      '',
    ]
    appendFileSync(join(device.home, 'config.toml'), mine.join('\n'))
    await device.start()
    browser = await openBrowser()
    const entered = await enter(await person(browser), device)
    page = entered.page
    await page.goto(`${entered.origin}/#/settings`)
  })
  after(async () => {
    if (house === undefined) return
    await browser.close()
    await house[Symbol.asyncDispose]()
  })

  it('changes what is harmless, is in force at once, and leaves the rest of the file (Q6.2)', async () => {
    const before = text()
    await page.getByRole('button', { name: 'Change profile.papers.exclude' }).click()
    await page.getByLabel('One a line').fill('*.tmp\n*.o')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal(text(), before.replace('  "*.tmp", # vim\n', '  "*.tmp", # vim\n  "*.o",\n'))
    await page.getByText('*.tmp, *.o').waitFor()
    const shown = await device.json<{ settings: { profile: { papers: { exclude: string[] } } } }>(
      'config',
      'show',
    )
    assert.deepEqual(shown.settings.profile.papers.exclude, ['*.tmp', '*.o'])
  })

  it('says what a value must be, and writes nothing (Q6.3)', async () => {
    const before = text()
    await page.getByRole('button', { name: /of Profile papers/ }).click()
    await page.getByRole('button', { name: 'Change profile.papers.schedule' }).click()
    await page.getByLabel('Value').fill('sometimes')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'must be off, hourly, daily' }).waitFor()
    assert.equal(text(), before)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  it('offers no change of what runs programs, opens places or says where things are (Q6.1)', async () => {
    const more = page.getByRole('button', { name: /^Show \d+ more/ })
    for (let left = await more.count(); left > 0; left--) await more.first().click()
    assert.equal(await more.count(), 0)
    const buttons = await page.getByRole('button', { name: /^Change / }).all()
    const labels = await Promise.all(
      buttons.map(async (button) => (await button.getAttribute('aria-label')) ?? ''),
    )
    assert.ok(labels.length > 20, labels.join())
    assert.deepEqual(
      labels.filter((label) =>
        /hook|email|listen|command|sources|files_from|store|metrics|path|_file/.test(label),
      ),
      ['Change profile.papers.one_file_system'],
    )
  })

  it('says that the node is gone, and after it was started again how to get in', async () => {
    await device.stop()
    await page.getByText('The node of desktop does not answer.').waitFor()
    await device.start()
    assert.equal((await statusOf(device))?.running, true)
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor()
    assert.equal(await page.getByText('cellar dashboard').count(), 1)
  })
})
