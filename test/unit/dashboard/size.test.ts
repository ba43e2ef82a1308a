/** What a browser is sent before it shows anything. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { PAGE_FILES } from '../../../node/control/pages.ts'
import { projectRoot } from '../../tools/project.ts'

const compressedBytesMax = 200 * 1024

describe('the page of the dashboard, as it is built', () => {
  const read = (name: string): string => readFileSync(join(projectRoot, 'dist', 'dashboard', name), 'utf8')

  it('is below 200 KiB compressed, all of it', () => {
    const bytes = PAGE_FILES.reduce((sum, name) => sum + gzipSync(read(name)).byteLength, 0)
    assert.ok(bytes > 10_000 && bytes < compressedBytesMax, `${String(bytes)} bytes`)
  })

  it('has no program and no style in its HTML, and names no other place (H5.8)', () => {
    const html = read('index.html')
    assert.doesNotMatch(html, /<style|style=|\son\w+=|https?:/i)
    for (const [tag] of html.matchAll(/<script[^>]*>/g)) assert.match(tag, / src="app\.js"/)
    assert.doesNotMatch(read('style.css'), /https?:|url\(/)
    // Names of namespaces are no places.
    const addresses = read('app.js').match(/https?:\/\/[^"'`\s)]+/g) ?? []
    assert.deepEqual(
      addresses.filter((address) => !address.startsWith('http://www.w3.org/')),
      [],
    )
  })
})
