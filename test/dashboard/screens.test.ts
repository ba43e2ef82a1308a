/** Each screen, as people with other eyes, hands and telephones meet it: by axe, in light and dark, at 390 pixels. */

import assert from 'node:assert/strict'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { assertForEveryone, wide } from './accessible.ts'
import { enter, needsBrowser, openBrowser, person } from './browser.ts'
import { settle, type Settled } from './settled.ts'

/** Something that opens over a screen, or stands on it when something was done or went wrong. */
interface State {
  readonly what: string
  readonly hash: string
  /** Leads there; it is there once this resolves. */
  readonly open: (page: Page) => Promise<unknown>
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first()

/** Opens the newest letter to the landlord, and what asks where to restore it to. */
async function askWhereTo(page: Page): Promise<void> {
  await page.getByRole('main').getByRole('link', { name: 'landlord.txt' }).first().click()
  await button(page, 'Restore…').click()
  await page.getByRole('dialog').waitFor()
}

const found = '#/files/search?text=landlord'

const STATES: readonly State[] = [
  { what: 'pairing', hash: '#/devices/pair', open: (page) => page.getByRole('radio').first().waitFor() },
  {
    what: 'pairing, with a space that is none',
    hash: '#/devices/pair',
    open: async (page) => {
      await page.getByLabel('Space it gives').fill('much')
      await button(page, 'Show the code').click()
      await page.getByRole('alert').first().waitFor()
    },
  },
  {
    what: 'the code to pair with',
    hash: '#/devices/pair',
    open: async (page) => {
      await button(page, 'Show the code').click()
      await page.locator('.qr').waitFor()
    },
  },
  {
    what: 'removing a device',
    hash: '#/devices',
    open: async (page) => {
      await page.getByRole('link', { name: 'Remove pi' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    what: 'renaming a device',
    hash: '#/devices',
    open: async (page) => {
      await page.getByRole('link', { name: 'Rename pi' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    what: 'restoring, with a path that is none',
    hash: found,
    open: async (page) => {
      await askWhereTo(page)
      await page.getByRole('textbox', { name: 'Directory' }).fill('relative')
      await page.getByRole('button', { name: 'Restore', exact: true }).click()
      await page.getByText('must begin with').waitFor()
    },
  },
  {
    what: 'forgetting a snapshot',
    hash: '#/snapshots',
    open: async (page) => {
      await page.getByRole('main').getByRole('table').getByRole('link').first().click()
      await button(page, 'Forget…').click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    what: 'changing a setting, to a value that is none',
    hash: '#/settings',
    open: async (page) => {
      await button(page, 'Change hold_window').click()
      await page.getByRole('dialog').locator('input, textarea').first().fill('for ever')
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').getByRole('alert').filter({ hasText: /./ }).waitFor()
    },
  },
  {
    what: 'a snapshot that is not there',
    hash: '#/files/in/00000000?path=%2F',
    open: (page) => page.getByRole('alert').first().waitFor(),
  },
  {
    what: 'a screen that is not there',
    hash: '#/nowhere',
    open: (page) => page.getByText('There is no such screen').waitFor(),
  },
  {
    what: 'an order given to another device',
    hash: found,
    open: async (page) => {
      await askWhereTo(page)
      await page.getByRole('radio', { name: 'On another device' }).check()
      await page.getByRole('button', { name: 'Restore', exact: true }).click()
      await button(page, 'Withdraw').waitFor()
    },
  },
  {
    what: 'what was brought back, and said so',
    hash: '#/trash',
    open: async (page) => {
      await button(page, /^Bring back/).click()
      await page.locator('.toast').first().waitFor()
    },
  },
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
      await assertForEveryone(page, hash).catch((error: unknown) => failures.push((error as Error).message))
    }
    assert.equal(failures.length, 0, failures.join('\n\n'))
  })

  for (const { what, hash, open } of STATES)
    it(`so can ${what}`, async () => {
      await page.setViewportSize(wide)
      await page.goto('about:blank')
      await show(hash)
      await open(page)
      await assertForEveryone(page, what)
    })

  it('so can an order that waits for an answer, where it is asked', async () => {
    const there = await person(browser, { viewport: wide })
    const { page: theirs, origin: at } = await enter(there, world!.laptop)
    await theirs.goto(`${at}/#/files`)
    await button(theirs, 'Accept').waitFor()
    await assertForEveryone(theirs, 'an order to answer')
    await there.close()
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

  it('so can what is said to a browser whose session has ended', async () => {
    await context.clearCookies()
    await page.goto('about:blank')
    await page.goto(`${origin}/`)
    await page.getByText('cellar dashboard').first().waitFor()
    await assertForEveryone(page, 'the door')
  })
})
