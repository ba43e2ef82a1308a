/** Files and snapshots in a real browser: found, looked at, restored, downloaded, pinned, compared, forgotten. */

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Device } from '../tools/cellar.ts'
import { Household, tryBackup, until } from '../tools/household.ts'
import { assertForEveryone } from './accessible.ts'
import { enter, needsBrowser, openBrowser, person } from './browser.ts'

describe('files and snapshots in the dashboard', function () {
  this.timeout(300_000)
  let house: Household
  let desktop: Device
  let browser: Browser | undefined
  let context: BrowserContext
  let page: Page
  let source: string
  let hash: (place: string) => Promise<void>

  before(async function () {
    needsBrowser(this)
    house = new Household()
    desktop = house.device('desktop')
    await desktop.init()
    source = house.path('Documents')
    mkdirSync(join(source, 'taxes'), { recursive: true })
    writeFileSync(join(source, 'taxes', 'tax-2025.txt'), 'the first version')
    writeFileSync(join(source, 'odd <b>name & [x].txt'), 'odd')
    writeFileSync(join(source, 'gone-soon.txt'), 'gone')
    await desktop.start()
    await tryBackup(desktop, source)
    writeFileSync(join(source, 'taxes', 'tax-2025.txt'), 'the second version, longer')
    await desktop.run('backup', source, '--exclude', 'gone-soon.txt')
    browser = await openBrowser()
    context = await person(browser, { acceptDownloads: true })
    const entered = await enter(context, desktop)
    page = entered.page
    hash = async (place) => void (await page.goto(`${entered.origin}/${place}`))
  })
  after(async () => {
    if (browser === undefined) return
    await browser.close()
    await house[Symbol.asyncDispose]()
  })

  const sees = async (text: string | RegExp): Promise<void> => {
    await page.getByText(text).first().waitFor()
  }

  it('shows what was backed up, down to a file, its text and its versions', async () => {
    await hash('#/files')
    await page.getByRole('link', { name: source }).click()
    await page.getByRole('link', { name: 'taxes' }).click()
    await page.getByRole('link', { name: 'tax-2025.txt' }).waitFor()
    await assertForEveryone(page, 'a directory')
    await page.getByRole('link', { name: 'tax-2025.txt' }).click()
    await sees('the second version, longer')
    await sees('2 versions in 2 snapshots')
    await assertForEveryone(page, 'a file')
    await page.getByRole('link', { name: /^Show the version of/ }).click()
    await sees('the first version')
  })

  it('finds what is gone, and shows any name as it is', async () => {
    await hash('#/files')
    await page.getByLabel('Name, or part of it').fill('gone-soon')
    await page.getByRole('button', { name: 'Search' }).click()
    await sees('1 entry found for “gone-soon”.')
    await sees('gone-soon.txt')
    assert.equal(await page.locator('.entry .badge').innerText(), 'gone')
    await assertForEveryone(page, 'a search')
    await page.getByLabel('Name, or part of it').fill('odd')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('link', { name: 'odd <b>name & [x].txt' }).click()
    await page.locator('pre.preview').waitFor()
    assert.equal(await page.locator('pre.preview').innerText(), 'odd')
  })

  it('restores one file, under a name that looks like a pattern, and says so', async () => {
    const target = house.path('back')
    await page.getByRole('button', { name: 'Restore…', exact: true }).click()
    await page.getByRole('textbox', { name: 'Directory' }).fill('relative')
    await page.getByRole('button', { name: 'Restore', exact: true }).click()
    await sees('The path must begin with “/”.')
    await assertForEveryone(page, 'the dialog of restoring')
    await page.getByRole('textbox', { name: 'Directory' }).fill(target)
    await page.getByRole('button', { name: 'Restore', exact: true }).click()
    await sees(`restored to ${target}`)
    assert.equal(readFileSync(join(target, 'odd <b>name & [x].txt'), 'utf8'), 'odd')
  })

  it('downloads a file with its bytes', async () => {
    const coming = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download', exact: true }).click()
    const download = await coming
    assert.equal(download.suggestedFilename().endsWith('.txt'), true)
    assert.equal(readFileSync(await download.path(), 'utf8'), 'odd')
  })

  it('pins a snapshot, compares it with the one before, and forgets it', async () => {
    await hash('#/snapshots')
    await sees(/2 snapshots/)
    const rows = page.locator('tbody tr')
    await rows.first().getByRole('link').first().click()
    await page.getByRole('button', { name: 'Pin', exact: true }).click()
    await page.getByRole('button', { name: 'Unpin' }).waitFor()
    await assertForEveryone(page, 'a snapshot')
    await page.getByRole('link', { name: 'What changed' }).click()
    await sees('changed')
    await page.getByRole('row', { name: /tax-2025\.txt.*changed/ }).waitFor()
    await page.getByRole('row', { name: /gone-soon\.txt.*removed/ }).waitFor()
    await assertForEveryone(page, 'changes')
    await page.getByRole('link', { name: 'About this snapshot' }).click()
    await page.getByRole('button', { name: 'Forget…' }).click()
    await sees(/is pinned by desktop/)
    await page.getByRole('button', { name: 'Forget it' }).click()
    await until('the list has one snapshot', async () => ((await rows.count()) === 1 ? true : undefined))
    assert.equal((await desktop.json<unknown[]>('snapshots')).length, 1)
  })
})
