/** What tests of the control API share: a server on a socket of its own, and parameters that are right. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CallContext,
  type Handlers,
  handleOf,
  type MethodName,
  type NodeHandle,
  type ParamsOf,
  type ResultOf,
} from '../../../node/api.ts'
import { connectNode } from '../../../node/control/client.ts'
import { type ControlServer, type ControlServerOptions, serveControl } from '../../../node/control/server.ts'

/** The methods that a test asks for; others are bugs of the test. */
export type Some = {
  readonly [M in MethodName]?: (params: ParamsOf<M>, context: CallContext<M>) => Promise<ResultOf<M>>
}

/** No abort. */
export const never = (): AbortSignal => new AbortController().signal
export const list = {
  snapshot: 'latest',
  filter: { devices: [], paths: [], tags: [] },
  paths: [],
  recursive: true,
}
export const dumped = { snapshot: 'latest', filter: list.filter, path: '/a', archive: 'tar' } as const
export const streamed: ParamsOf<'backup'> = {
  paths: [],
  excludes: [],
  iexcludes: [],
  excludeCaches: false,
  excludeIfPresent: [],
  oneFileSystem: false,
  stdin: { name: 'in' },
  tags: [],
  dryRun: false,
  skipIfUnchanged: false,
  verbose: false,
}
export const restored: ParamsOf<'restore'> = {
  snapshot: 'latest',
  filter: list.filter,
  target: '/t',
  includes: [],
  iincludes: [],
  excludes: [],
  iexcludes: [],
  overwrite: 'always',
  delete: false,
  dryRun: false,
  verify: false,
  verbose: false,
}

/** A directory, and a server in it, for each test of a suite. */
export class Served {
  directory = ''
  server: ControlServer | undefined

  /** Call it in the suite. */
  constructor() {
    beforeEach(() => {
      this.directory = mkdtempSync(join(tmpdir(), 'cellar-control-'))
    })
    afterEach(async () => {
      await this.server?.close()
      this.server = undefined
      rmSync(this.directory, { recursive: true })
    })
  }

  /** Of the socket. */
  get path(): string {
    return join(this.directory, 'control.sock')
  }

  /** Serves these methods, and connects. */
  async serve(handlers: Some, more: Partial<ControlServerOptions> = {}): Promise<NodeHandle> {
    const handle = handleOf(handlers as Handlers, async () => undefined)
    this.server = await serveControl({ path: this.path, handle, ...more })
    const connected = await connectNode(this.path)
    assert.ok(connected)
    return connected
  }
}
