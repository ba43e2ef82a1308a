/** The files of the page, as the dashboard's address serves them. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Handlers, handleOf } from '../../../node/api.ts'
import { connectNode } from '../../../node/control/client.ts'
import { safeHeaders } from '../../../node/control/guard.ts'
import { PAGE_FILES, pageFile } from '../../../node/control/pages.ts'
import { type ControlServer, serveControl } from '../../../node/control/server.ts'
import { ManualClock } from '../node/manual-clock.ts'
import { ask } from './asking.ts'

describe('the page at the address of the dashboard', () => {
  let directory: string
  let server: ControlServer
  let at: URL

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'cellar-pages-'))
    let drawn = 0
    server = await serveControl({
      path: join(directory, 'control.sock'),
      handle: handleOf({} as Handlers, async () => undefined),
      dashboard: {
        listen: '127.0.0.1:0',
        tokenFile: join(directory, 'dashboard.token'),
        onTrouble: (error) => assert.fail(error),
      },
      world: {
        clock: new ManualClock(),
        random: { bytes: (length) => new Uint8Array(length).fill(++drawn) },
      },
    })
    const handle = await connectNode(join(directory, 'control.sock'))
    assert.ok(handle !== undefined)
    at = new URL((await handle.call('dashboard', {}, { signal: new AbortController().signal })).url)
  })

  after(async () => {
    await server.close()
    rmSync(directory, { recursive: true })
  })

  it('is made of files that anybody of this machine may see, each with its type and the policy (H5.7)', async () => {
    assert.deepEqual([...PAGE_FILES].sort(), ['app.js', 'icon.svg', 'index.html', 'style.css'])
    for (const name of PAGE_FILES) {
      const { status, headers } = await ask(at, `/${name}`, {}, 'GET')
      assert.equal(status, 200, name)
      assert.equal(headers['content-type'], pageFile(name)?.type)
      for (const [header, value] of Object.entries(safeHeaders))
        assert.equal(headers[header], value, `${name}: ${header}`)
    }
  })

  it('is nothing else, whatever is asked for', async () => {
    const paths = [
      '/preact-license.txt',
      '/../package.json',
      '/%2e%2e/package.json',
      '/app.js/',
      '/app.js%00',
      '/constructor',
    ]
    for (const path of paths) assert.equal((await ask(at, path, {}, 'GET')).status, 404, path)
    for (const name of ['constructor', '__proto__', '../bundle/cellar.js'])
      assert.equal(pageFile(name), undefined)
  })

  it('is not given to a page of another site (H5.3)', async () => {
    for (const name of PAGE_FILES)
      assert.equal((await ask(at, `/${name}`, { 'sec-fetch-site': 'cross-site' }, 'GET')).status, 403, name)
  })
})
