/** Looks at a page for what keeps people out: names, contrast, order, keyboard; and for what does not fit. */

import assert from 'node:assert/strict'
import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** A rule that something breaks, and what breaks it. */
interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/** The rules of WCAG 2.2 up to AA, and what is good practice besides. */
const everything = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'],
}

/** What changes with the colours. */
const colours = { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } }

export const wide = { width: 1280, height: 900 }
const narrow = { width: 390, height: 844 }

/** Fails with what keeps somebody out of what is shown: in light and dark, wide and on a telephone. Leaves it wide. */
export async function assertForEveryone(page: Page, what: string): Promise<void> {
  await page.setViewportSize(wide)
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await assertFits(page, `${what} at ${String(wide.width)} pixels`)
  await assertAccessible(page, `${what}, light`)
  await page.emulateMedia({ colorScheme: 'dark' })
  await assertAccessible(page, `${what}, dark`, 'colours')
  await page.setViewportSize(narrow)
  await assertFits(page, `${what} at ${String(narrow.width)} pixels`)
  await assertAccessible(page, `${what}, dark, at ${String(narrow.width)} pixels`)
  await page.setViewportSize(wide)
}

/**
 * Fails with each thing that somebody could not use.
 *
 * @param what - named in the failure
 * @param only - `colours` where all else was looked at already
 */
async function assertAccessible(page: Page, what: string, only?: 'colours'): Promise<void> {
  // Not as an element of the page: its policy runs no script but its own.
  if (await page.evaluate('typeof axe === "undefined"')) await page.evaluate(axe.source)
  const options = JSON.stringify(only === 'colours' ? colours : everything)
  // A dialog makes all behind it unreachable; then it is what there is.
  const context = "document.querySelector('dialog[open]') ?? document"
  const { violations } = await page.evaluate<{ violations: Violation[] }>(`axe.run(${context}, ${options})`)
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes
      .slice(0, 5)
      .map(({ html, failureSummary }) => `${id}: ${help}\n  ${html}\n  ${failureSummary ?? ''}`),
  )
  assert.equal(found.length, 0, `${what}\n${found.join('\n')}`)
}

/** Fails when something stands out at the side: on a telephone nobody finds it. */
async function assertFits(page: Page, what: string): Promise<void> {
  const found = await page.evaluate<string[]>(`[...document.querySelectorAll('body *')].filter((element) => {
    const { right, width, height } = element.getBoundingClientRect()
    return width > 1 && height > 1 && right > document.documentElement.clientWidth + 1 &&
      element.closest('pre, [data-scrolls]') === null
  }).map((element) => element.outerHTML.slice(0, 160))`)
  assert.equal(found.length, 0, `${what}: stands out at the right\n${found.slice(0, 5).join('\n')}`)
}
