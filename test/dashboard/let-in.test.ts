/** Who gets into the dashboard, tried in a real browser: links, foreign pages, frames, names that are pointed here. */

import assert from 'node:assert/strict'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Device } from '../tools/cellar.ts'
import { Household, statusOf, until } from '../tools/household.ts'
import { askFrom, enter, linkInto, needsBrowser, openBrowser, person } from './browser.ts'
import { OtherSite, ReboundName } from './other-site.ts'

/** A loopback address of the name that is pointed here. */
const reboundHost = '127.0.0.2'

/** What a hostile page would like to be done. */
const RENAME = '{"device":"desktop","name":"owned"}'

describe('the dashboard in a real browser (control.md §5)', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let browser: Browser | undefined
  let site: OtherSite
  let context: BrowserContext

  before(async function () {
    needsBrowser(this)
    house = new Household()
    desktop = house.device('desktop')
    await desktop.init()
    await desktop.start()
    site = await OtherSite.open()
    browser = await openBrowser({ 'other.example': '127.0.0.1', 'rebound.example': reboundHost })
  })
  beforeEach(async () => {
    if (browser !== undefined) context = await person(browser)
  })
  afterEach(async () => {
    if (browser !== undefined) await context.close()
  })
  after(async () => {
    if (browser === undefined) return
    await browser.close()
    await site[Symbol.asyncDispose]()
    await house[Symbol.asyncDispose]()
  })

  /** A page of another site, in the browser of somebody who is in. */
  async function foreignPage(host: string, html = '<!doctype html><title>other</title>'): Promise<Page> {
    const path = `/${String(site.pages.size)}`
    site.pages.set(path, html)
    const page = await context.newPage()
    await page.goto(`http://${host}:${site.port}${path}`)
    return page
  }

  /** Nobody but the owner changed anything. */
  async function assertUnharmed(): Promise<void> {
    assert.equal((await statusOf(desktop))?.device.name, 'desktop')
  }

  it('lets in who opens a link, once, by a cookie that no program in the page can read (H5.6)', async () => {
    const link = await linkInto(desktop)
    const page = await context.newPage()
    await page.goto(link.href)
    await page.waitForURL(`${link.origin}/`)
    assert.equal((await askFrom(page, '/v1/status'))?.status, 200)
    const [cookie, ...more] = await context.cookies()
    assert.equal(more.length, 0)
    assert.deepEqual(
      [cookie?.name, cookie?.httpOnly, cookie?.sameSite],
      [`cellar_${link.port}`, true, 'Strict'],
    )
    assert.equal(await page.evaluate('document.cookie'), '')
    assert.ok((cookie?.expires ?? Infinity) < Date.now() / 1000 + 86_401)

    // The link stays in the history: somebody who finds it there gets nothing.
    const second = await person(browser!)
    try {
      const late = await second.newPage()
      assert.equal((await late.goto(link.href))?.status(), 401)
      assert.match(await late.innerText('body'), /cellar dashboard/)
      assert.equal((await askFrom(late, '/v1/status'))?.status, 401)
      assert.deepEqual(await second.cookies(), [])
    } finally {
      await second.close()
    }
  })

  it('tells a browser without a link nothing but how to get one (H5.4)', async () => {
    const { origin, port } = await linkInto(desktop)
    const page = await context.newPage()
    for (const here of [origin, `http://localhost:${port}`]) {
      await page.goto(here)
      await page.getByText('cellar dashboard').first().waitFor()
      assert.doesNotMatch(await page.content(), /desktop/)
      for (const method of ['status', 'devices', 'dashboard', 'stop'])
        assert.equal((await askFrom(page, `/v1/${method}`))?.status, 401, method)
      assert.equal((await askFrom(page, '/v1/schema', { method: 'GET' }))?.status, 401)
    }
    await assertUnharmed()
  })

  // Of another site the browser sends no cookie along; of another port of this machine it does.
  for (const host of ['other.example', '127.0.0.1'])
    it(`refuses whatever a page at ${host} tries, though its reader is in (H5.3)`, async () => {
      const { page: own, origin } = await enter(context, desktop)
      const page = await foreignPage(host)
      const answered = await answersTo(page, origin)
      const tries: readonly Record<string, unknown>[] = [
        {
          method: 'POST',
          body: RENAME,
          credentials: 'include',
          headers: { 'content-type': 'application/json' },
        },
        { method: 'POST', body: RENAME, credentials: 'include' },
        { method: 'POST', body: RENAME, credentials: 'include', mode: 'no-cors' },
        { method: 'GET', credentials: 'include' },
      ]
      for (const how of tries) {
        const answer = await askFrom(page, `${origin}/v1/deviceRename`, how)
        // Without CORS a page may be told that there was an answer, and never what.
        assert.ok(answer === undefined || answer.body === '', JSON.stringify(how))
      }
      assert.equal(await page.evaluate(`navigator.sendBeacon('${origin}/v1/stop', '{}')`), true)
      for (const tag of ['img', 'script', 'iframe', 'object'])
        await page.evaluate(load, [tag, `${origin}/v1/schema`] as const)
      assert.deepEqual(await page.evaluate(`Object.keys(window).filter((key) => /cellar/i.test(key))`), [])
      // One that asks beforehand, three that do not, one that ends with the page, and what elements load.
      await until('an answer to each', () => (answered().length >= 7 ? true : undefined))
      assert.deepEqual([...new Set(answered())], [403])
      await assertUnharmed()
      assert.equal((await askFrom(own, '/v1/status'))?.status, 200)
    })

  it('refuses a form that a page of another site sends (H5.3)', async () => {
    const { origin } = await enter(context, desktop)
    // A form has no JSON, but what it makes of a name and a value can be read as such.
    const form =
      `<form method="post" enctype="text/plain" action="${origin}/v1/deviceRename">` +
      `<input name='{"device":"desktop","name":"owned' value='"}'><button>Win a prize</button></form>`
    for (const host of ['other.example', '127.0.0.1']) {
      const page = await foreignPage(host, form)
      const answer = page.waitForResponse((response) => response.url().startsWith(origin))
      await page.getByRole('button').click()
      assert.equal((await answer).status(), 403, host)
    }
    await assertUnharmed()
  })

  it('refuses a page whose name was pointed at this machine meanwhile (DNS rebinding, H5.2)', async () => {
    const { page: own, origin } = await enter(context, desktop)
    const port = Number(new URL(origin).port)
    await using name = await ReboundName.open('<!doctype html><title>mine</title>', reboundHost, port)
    const page = await context.newPage()
    await page.goto(`http://rebound.example:${port}/`)
    assert.equal(await page.title(), 'mine')
    // For the browser all this is one origin: nothing stands between the page and the node but the node.
    for (const [path, init] of [
      ['/v1/status', { method: 'POST', body: '{}' }],
      ['/v1/deviceRename', { method: 'POST', body: RENAME }],
      ['/v1/schema', { method: 'GET' }],
      ['/', { method: 'GET' }],
      [`/open?ticket=${'x'.repeat(43)}`, { method: 'GET' }],
    ] as const) {
      const answer = await askFrom(page, path, init)
      assert.equal(answer?.status, 403, path)
      assert.match(answer.body, /"code":"ORIGIN_REFUSED"/)
      assert.doesNotMatch(answer.body, /desktop/)
    }
    assert.ok(name.handedOn > 0)
    await assertUnharmed()
    assert.equal((await askFrom(own, '/v1/status'))?.status, 200)
  })

  it('is shown in no frame, neither of another site nor of another port (H5.7)', async () => {
    const { origin } = await enter(context, desktop)
    for (const host of ['other.example', '127.0.0.1']) {
      const link = await linkInto(desktop)
      for (const framed of [`${origin}/`, link.href]) {
        const page = await foreignPage(host, `<iframe src="${framed}" width="800" height="600"></iframe>`)
        await until(`${framed} refused in ${host}`, () =>
          page.frames()[1]?.url() === 'chrome-error://chromewebdata/' ? true : undefined,
        )
        await page.close()
      }
    }
  })

  it('runs no script but its own, loads nothing from elsewhere, and says nowhere that it was there (H5.7)', async () => {
    const { page, origin } = await enter(context, desktop)
    const before = site.asked.length
    const elsewhere = `http://other.example:${site.port}`
    await page.evaluate(`{
      const script = document.createElement('script')
      script.textContent = 'window.wasRun = true'
      document.body.append(script)
      const picture = document.createElement('div')
      picture.innerHTML = '<img src="x:" onerror="window.wasRun = true"><a href="javascript:window.wasRun = true">a</a>'
      document.body.append(picture)
      picture.querySelector('a').click()
    }`)
    for (const tag of ['img', 'script', 'iframe', 'object', 'link'])
      await page.evaluate(load, [tag, `${elsewhere}/${tag}`] as const)
    assert.equal(await askFrom(page, `${elsewhere}/fetch`, { mode: 'no-cors' }), undefined)
    assert.equal(await page.evaluate('window.wasRun'), undefined)
    assert.deepEqual(site.asked.slice(before), [])

    site.pages.set('/linked', 'there')
    await page.evaluate(`location.href = '${elsewhere}/linked'`)
    await page.waitForURL(`${elsewhere}/linked`)
    const headers = site.headers[site.asked.lastIndexOf('/linked')]
    assert.equal(headers?.referer, undefined)
    assert.equal(headers?.cookie, undefined)
    // Back at our page, it was not kept but asked for again.
    const again = page.waitForResponse(`${origin}/`)
    await page.goBack()
    assert.equal((await again).status(), 200)
  })

  it('lets in who follows the link from a page of another site (H5.6)', async () => {
    const link = await linkInto(desktop)
    const page = await foreignPage('other.example', `<a href="${link.href}">the link</a>`)
    await page.getByRole('link').click()
    await page.waitForURL(`${link.origin}/`)
    assert.equal((await askFrom(page, '/v1/status'))?.status, 200)
  })
})

/** Puts an element into the page that loads an address; resolves when it has, or could not. */
const load = ([tag, url]: readonly [string, string]): Promise<void> =>
  new Promise((resolve) => {
    // The types of a browser are not those of this program.
    const { document } = globalThis as unknown as { document: Foreign }
    const element = document.createElement(tag)
    const names = { object: 'data', link: 'href' } as Readonly<Record<string, string>>
    Object.assign(element, {
      rel: 'stylesheet',
      onload: resolve,
      onerror: resolve,
      [names[tag] ?? 'src']: url,
    })
    document.body.append(element)
  })

interface Foreign {
  createElement(tag: string): object
  readonly body: { append(element: object): void }
}

/** Sees the status of each answer of the node to a page of another site, also where the page is told of none. */
async function answersTo(page: Page, origin: string): Promise<() => readonly number[]> {
  const ours = new Set<string>()
  const statuses = new Map<string, number>()
  const client = await page.context().newCDPSession(page)
  await client.send('Network.enable')
  // The two come in any order.
  client.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (request.url.startsWith(origin)) ours.add(requestId)
  })
  client.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode }) => {
    statuses.set(requestId, statusCode)
  })
  return () => [...ours].flatMap((id) => statuses.get(id) ?? [])
}
