/** A real browser for the tests of the dashboard: where it is, how it is started, how it gets in. */

import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Frame, type Page } from 'playwright-core'
import { connectNode, findHome } from '../../node/client.ts'
import type { Device } from '../tools/cellar.ts'

/** Where systems put it; the first that is there is taken, the environment before all. */
const PLACES = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** What happens within moments on an idle machine is given so long on a busy one, milliseconds. */
export const patienceMs = 60_000

/** Why there is no browser here, for a test that cannot run without one; undefined when there is one. */
export function missingBrowser(): string | undefined {
  return findChromium() === undefined
    ? `no chromium (looked at ${PLACES.filter(Boolean).join(', ')})`
    : undefined
}

function findChromium(): string | undefined {
  return PLACES.find((path) => path !== undefined && path !== '' && existsSync(path))
}

/**
 * Makes a suite pending, and says so, where there is no browser: the first thing of its `before`.
 *
 * @param context - of Mocha
 */
export function needsBrowser(context: Mocha.Context): void {
  const missing = missingBrowser()
  if (missing === undefined) return
  console.log(`    skipped: ${missing}`)
  context.skip()
}

/**
 * Starts a browser without a window.
 *
 * @param names - which address a name has for it, as a DNS server of anybody might say
 */
export async function openBrowser(names: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('no chromium')
  const rules = Object.entries(names).map(([name, address]) => `MAP ${name} ${address}`)
  // Names that nobody gave an address have none: no test may reach a real network.
  const resolver = [...rules, 'MAP * ~NOTFOUND', 'EXCLUDE 127.*', 'EXCLUDE localhost'].join(', ')
  return await chromium.launch({
    executablePath,
    timeout: patienceMs,
    args: [
      `--host-resolver-rules=${resolver}`,
      // Newer browsers ask a person before a page of elsewhere reaches this machine; what is tested here is the node.
      '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
      // Its sandbox does not work for root, nor where user namespaces are forbidden.
      '--no-sandbox',
      '--disable-dev-shm-usage',
    ],
  })
}

/** A person's browser: cookies of its own, patience for a busy machine. */
export async function person(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options })
  context.setDefaultTimeout(patienceMs)
  return context
}

/** A link into the dashboard of a running device, good once; what `cellar dashboard` prints. */
export async function linkInto(device: Device): Promise<URL> {
  const { socket } = await findHome(device.home, process.env)
  const handle = await connectNode(socket)
  if (handle === undefined) throw new Error(`the node of ${device.name} does not run`)
  const { url } = await handle.call('dashboard', {}, { signal: AbortSignal.timeout(patienceMs) })
  return new URL(url)
}

/** Opens the dashboard of a running device as its owner does. @returns the page, and where it is */
export async function enter(
  context: BrowserContext,
  device: Device,
): Promise<{ readonly page: Page; readonly origin: string }> {
  const link = await linkInto(device)
  const page = await context.newPage()
  await page.goto(link.href)
  await page.waitForURL((url) => url.pathname === '/')
  return { page, origin: link.origin }
}

/** What a program in a page is answered. */
export interface Asked {
  readonly status: number
  readonly body: string
}

/**
 * Asks as a program in a page does.
 *
 * @returns undefined when the browser gives it no answer
 */
export async function askFrom(
  page: Page | Frame,
  url: string,
  init: Readonly<Record<string, unknown>> = { method: 'POST', body: '{}' },
): Promise<Asked | undefined> {
  return await page.evaluate(
    async ([to, how]) => {
      try {
        const response = await fetch(to, how)
        return { status: response.status, body: await response.text() }
      } catch {
        return undefined
      }
    },
    [url, init] as const,
  )
}
