/** Draws the pictures of the documentation anew: `npm run screenshots`. Of a household of its own, on loopback only. */

import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { backUp, untilAllHold, untilLinked } from '../tools/household.ts'
import { projectRoot } from '../tools/project.ts'
import { enter, missingBrowser, openBrowser, person } from './browser.ts'
import { settle, type Settled } from './settled.ts'

const images = join(projectRoot, 'docs', 'images')
const wide = { width: 1080, height: 680 }
const narrow = { width: 390, height: 780 }
const dayMs = 86_400_000

/** Days before now with a backup; the letter goes on growing. */
const daysAgo = [41, 40, 33, 27, 26, 20, 13, 12, 6, 5, 4, 2, 1]

/** What each picture shows: where, and what to do first. */
const PICTURES: readonly (readonly [string, string, ((page: Page) => Promise<unknown>)?])[] = [
  ['home', '#/'],
  [
    'pair',
    '#/devices/pair',
    async (page) => {
      await page.getByRole('button', { name: 'Show the code' }).click()
      await page.locator('.qr').waitFor()
    },
  ],
  [
    'versions',
    '#/files',
    async (page) => {
      await page.getByRole('searchbox').fill('landlord')
      await page.getByRole('searchbox').press('Enter')
      await page.getByRole('main').getByRole('link', { name: 'landlord.txt' }).first().click()
      await page.getByRole('table', { name: /^Versions/ }).waitFor()
    },
  ],
]

async function live({ desktop, laptop, pi, source }: Settled): Promise<void> {
  await pi.start()
  const day = new Date().setHours(19, 4, 0, 0)
  for (const ago of daysAgo) {
    const time = new Date(day - ago * dayMs)
    const letter = join(source, 'letters', 'landlord.txt')
    if (ago % 2 === 0) {
      writeFileSync(letter, `Dear landlord,\nit is warm now. Thank you.\n\n${time.toDateString()}\n`)
      utimesSync(letter, time, time)
    }
    const local = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(two).join('-')
    await backUp(desktop, source, '--time', `${local} 19:04:00`)
  }
  await untilAllHold([desktop, laptop, pi], daysAgo.length + 1)
  // Snapshots that claim to be older than those before them look wrong, and are meant to.
  await desktop.run('devices', 'trust', 'desktop')
  // What it was told before goes with the process.
  await desktop.stop()
  await desktop.start()
  await untilLinked(desktop, laptop)
  await untilLinked(desktop, pi)
}

const two = (number: number): string => String(number).padStart(2, '0')

async function show(page: Page, origin: string, hash: string): Promise<void> {
  await page.goto(`${origin}/${hash}`)
  await page.locator('.lead .sentence p:not(.waiting)').waitFor()
  // What a screen asks for itself comes after what every screen knows.
  await page.getByRole('main').getByRole('table').first().waitFor({ state: 'attached' })
}

async function draw(world: Settled): Promise<void> {
  const browser = await openBrowser()
  try {
    const context = await person(browser, { viewport: wide, reducedMotion: 'reduce', colorScheme: 'light' })
    const { page, origin } = await enter(context, world.desktop)
    for (const [name, hash, prepare] of PICTURES) {
      await show(page, origin, hash)
      await prepare?.(page)
      await page.screenshot({ path: join(images, `${name}.png`) })
    }
    await page.setViewportSize(narrow)
    await page.emulateMedia({ colorScheme: 'dark' })
    await show(page, origin, '#/devices')
    await page.screenshot({ path: join(images, 'devices-narrow-dark.png') })
  } finally {
    await browser.close()
  }
}

const missing = missingBrowser()
if (missing !== undefined) throw new Error(missing)
mkdirSync(images, { recursive: true })
const world = await settle()
try {
  await live(world)
  await draw(world)
  console.log(`drawn: ${images}`)
} finally {
  await world.house[Symbol.asyncDispose]()
}
