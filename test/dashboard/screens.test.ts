/** Each screen, as people with other eyes, hands and telephones meet it: by axe, in light and dark, at 390 pixels. */

import assert from 'node:assert/strict'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { assertAccessible, assertFits } from './accessible.ts'
import { enter, needsBrowser, openBrowser, person } from './browser.ts'
import { settle, type Settled } from './settled.ts'

const wide = { width: 1280, height: 900 }
const narrow = { width: 390, height: 844 }

/** What opens over a screen: where, and what to wait for. */
const DIALOGS: readonly (readonly [string, (page: Page) => Promise<unknown>])[] = [
  ['#/devices/pair', (page) => page.getByRole('radio').first().waitFor()],
]

describe('the screens of the dashboard, for everyone', function () {
  this.timeout(300_000)
  let world: Settled | undefined
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let origin: string
  /** What the page asked for, and what it complained of. */
  const asked: string[] = []
  const complaints: string[] = []

  before(async function () {
    needsBrowser(this)
    world = await settle()
    browser = await openBrowser()
    context = await person(browser, { viewport: wide })
    context.on('request', (request) => asked.push(request.url()))
    const entered = await enter(context, world.desktop)
    page = entered.page
    origin = entered.origin
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
  })
  after(async () => {
    if (world === undefined) return
    await browser.close()
    await world.house[Symbol.asyncDispose]()
  })

  /** Goes to a place and waits until the node has answered. */
  async function show(hash: string): Promise<void> {
    await page.goto(`${origin}/${hash}`)
    await page.locator('main h1').waitFor()
    await page.locator('.lead .sentence p:not(.waiting)').waitFor()
  }

  async function lookAt(what: string): Promise<void> {
    await page.setViewportSize(wide)
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
    await assertFits(page, `${what} at ${wide.width} pixels`)
    await assertAccessible(page, `${what}, light`)
    await page.emulateMedia({ colorScheme: 'dark' })
    await assertAccessible(page, `${what}, dark`, 'colours')
    await page.setViewportSize(narrow)
    await assertFits(page, `${what} at 390 pixels`)
    await assertAccessible(page, `${what}, dark, at 390 pixels`)
  }

  it('each screen can be read and used, light and dark, wide and narrow', async () => {
    await show('#/')
    const hrefs = await page
      .getByRole('navigation', { name: 'Screens' })
      .getByRole('link')
      .evaluateAll((links) => links.map((link) => (link as unknown as { hash: string }).hash))
    assert.ok(hrefs.length >= 2, hrefs.join(' '))
    const failures: string[] = []
    for (const hash of hrefs) {
      await page.setViewportSize(wide)
      await show(hash)
      // All of them, so that one failure tells of every screen.
      await lookAt(hash).catch((error: unknown) => failures.push((error as Error).message))
    }
    assert.equal(failures.length, 0, failures.join('\n\n'))
  })

  for (const [hash, ready] of DIALOGS)
    it(`so can what opens at ${hash}`, async () => {
      await page.setViewportSize(wide)
      await show(hash)
      await ready(page)
      await lookAt(hash)
    })

  it('is gone through by the keyboard alone, and a skip link leads past the navigation', async () => {
    await page.setViewportSize(wide)
    await show('#/')
    // From the very beginning of the page.
    await page.reload()
    await show('#/')
    await page.keyboard.press('Tab')
    const focused = () => page.evaluate<string>('document.activeElement.textContent')
    assert.match(await focused(), /Skip/)
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate('document.activeElement.id'), 'main')
    await page.getByRole('link', { name: 'Devices' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor()
    await page.getByRole('link', { name: 'Pair a device' }).press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal(await page.evaluate('location.hash'), '#/devices')
  })

  it('asked nobody but its node for anything, and complained of nothing', () => {
    assert.ok(asked.length > 0)
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(`${origin}/`)),
      [],
    )
    assert.deepEqual(complaints, [])
  })
})
