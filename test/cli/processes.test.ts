/** `cellar` as real processes, spoken to by signals, pipes and raw arguments; the running node is one of this test. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type CallContext,
  CellarError,
  type MethodName,
  type ParamsOf,
  type ResultOf,
} from '../../node/client.ts'
import { type Handlers, handleOf } from '../../node/api.ts'
import { type ControlServer, serveControl } from '../../node/control/server.ts'
import { NODE, STATUS, SUMMARY } from '../unit/cli/fixtures.ts'

type Some = {
  readonly [M in MethodName]?: (params: ParamsOf<M>, context: CallContext<M>) => Promise<ResultOf<M>>
}

const isSource = import.meta.url.endsWith('.ts')
const program = fileURLToPath(new URL(`../../cli/main.${isSource ? 'ts' : 'js'}`, import.meta.url))
const command = [process.execPath, ...(isSource ? ['--import', import.meta.resolve('tsx')] : []), program]
const quoted = command.map((word) => `'${word}'`).join(' ')

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

describe('cellar processes', () => {
  let home: string
  let server: ControlServer | undefined

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cellar-process-'))
  })

  afterEach(async () => {
    await server?.close()
    server = undefined
    rmSync(home, { recursive: true })
  })

  async function serve(handlers: Some, onStop?: () => void): Promise<void> {
    const handle = handleOf(handlers as Handlers, async () => undefined)
    server = await serveControl({
      path: join(home, 'control.sock'),
      handle,
      ...(onStop === undefined ? {} : { onStop }),
    })
  }

  function start(line: string): ReturnType<typeof spawn> {
    return spawn('bash', ['-c', line.replaceAll('cellar ', `${quoted} `)], {
      cwd: home,
      env: { ...process.env, CELLAR_HOME: home, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  async function run(line: string): Promise<Ended> {
    return await ended(start(line))
  }

  it('say their version and help without a node, and load none', async () => {
    const { stdout, status } = await run('cellar version --json')
    assert.equal(status, 0)
    assert.equal((JSON.parse(stdout) as Record<string, unknown>)['message_type'], 'version')
    const help = await run('cellar --help')
    assert.match(help.stdout, /^Usage: cellar/)
    const traced = await run('NODE_DEBUG=esm cellar version')
    assert.doesNotMatch(traced.stderr, /libp2p|node\/index\./)
    assert.doesNotMatch(traced.stderr, /typebox|hono|node\/api-/)
  })

  it('take paths and the directory they are in as raw bytes', async () => {
    let paths: unknown
    await serve({ backup: async (params) => ((paths = params.paths), SUMMARY) })
    // The loader of sources cannot work in a directory whose name is not UTF-8.
    const enter = isSource ? '' : "mkdir $'d\\xff' && cd $'d\\xff' && "
    const directory = isSource ? home : `${home}/d\xff`
    const { status, stderr } = await run(`${enter}cellar backup $'a\\xfe' './$x/..'`)
    assert.equal(status, 0, stderr)
    const b64 = (path: string): string => Buffer.from(path, 'latin1').toString('base64')
    assert.deepEqual(paths, [{ b64: b64(`${directory}/a\xfe`) }, isSource ? home : { b64: b64(directory) }])
  })

  it('stream standard input and the output of a command to the node', async () => {
    let taken = ''
    await serve({
      backup: async (params, { input }) => {
        const parts: Uint8Array[] = []
        for await (const part of input) parts.push(part)
        const bytes = Buffer.concat(parts)
        taken = `${params.stdin?.name as string} ${String(bytes.byteLength)} ${bytes.subarray(-6).toString()}`
        return SUMMARY
      },
    })
    assert.equal((await run('seq 1 500000 | cellar backup --stdin -q')).status, 0)
    assert.equal(taken, 'stdin 3388895 00000\n')
    assert.equal(
      (await run('cellar backup -q --stdin-from-command --stdin-filename n.txt -- seq 1 3')).status,
      0,
    )
    assert.equal(taken, 'n.txt 6 1\n2\n3\n')
  })

  it('fail when that command fails, and the node takes no half of it', async () => {
    let whole = false
    await serve({
      backup: async (_params, { input }) => {
        for await (const part of input) void part
        whole = true
        return SUMMARY
      },
    })
    const { status, stderr } = await run(`cellar backup --stdin-from-command -- sh -c 'echo half; exit 3'`)
    assert.equal(status, 1)
    assert.match(stderr, /^cellar: the command sh failed \(exit status 3\); no snapshot was made\n/)
    assert.equal(whole, false)
  })

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`end with 130 on ${signal}, abort the node's method, and say what is kept`, async () => {
      const started: { child?: ReturnType<typeof spawn> } = {}
      const seen = { aborted: false }
      await serve({
        backup: (_params, context) =>
          new Promise((_resolve, reject) => {
            started.child?.kill(signal)
            context.signal.addEventListener('abort', () => {
              seen.aborted = true
              reject(new CellarError('ABORTED', 'stopped'))
            })
          }),
      })
      const child = start('exec cellar backup /etc')
      started.child = child
      const { status, stderr } = await ended(child)
      assert.equal(status, 130)
      assert.match(stderr, /^cellar: interrupted: there is no new snapshot/)
      while (!seen.aborted) await new Promise((resolve) => setImmediate(resolve))
    })
  }

  it('end quietly when who reads them goes away', async () => {
    await serve({
      ls: async (_params, { onEvent, signal }) => {
        for (let n = 0; n < 200_000 && !signal.aborted; n++) {
          onEvent(NODE)
          if (n % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        return { nodes: 0 }
      },
    })
    const { stdout, stderr } = await run('cellar ls latest | head -2; echo ${PIPESTATUS[0]}')
    assert.equal(stdout, `${NODE.path}\n${NODE.path}\n141\n`)
    assert.equal(stderr, '')
  })

  it('stop a running node and wait until it is gone', async () => {
    await serve({}, () => void server?.close())
    const { status, stdout } = await run('cellar stop')
    assert.equal(status, 0)
    assert.match(stdout, /^The node has ended\.\n$/)
    assert.match((await run('cellar stop')).stdout, /^No node runs/)
  })

  it('pass on what the node says of an error', async () => {
    await serve({ status: () => Promise.reject(new CellarError('STORE_DAMAGED', 'the index is damaged')) })
    const { status, stderr } = await run('cellar status')
    assert.equal(status, 1)
    assert.equal(stderr, 'cellar: the index is damaged\nto do:  cellar check --repair\n')
  })

  it('see a node by --home as by CELLAR_HOME', async () => {
    await serve({ status: async () => STATUS })
    const { stdout, stderr } = await run(
      `H=$CELLAR_HOME; CELLAR_HOME=/nonexistent cellar --home "$H" status -q`,
    )
    assert.equal(stdout, 'All 3 snapshots are on every device that stores.\n', stderr)
  })

  it('say so when the home is closed to them', async function () {
    if (process.geteuid?.() === 0) this.skip()
    writeFileSync(join(home, 'control.sock'), '')
    chmodSync(home, 0)
    try {
      const { status, stderr } = await run('cellar status')
      assert.equal(status, 1)
      assert.match(stderr, /belongs to another user/)
    } finally {
      chmodSync(home, 0o700)
    }
  })
})

async function ended(child: ReturnType<typeof spawn>): Promise<Ended> {
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => err.push(bytes))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}
