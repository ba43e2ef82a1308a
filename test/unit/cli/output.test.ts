import assert from 'node:assert/strict'
import { cellar, type FakeOptions, jsonLines } from './fake-world.ts'
import { LAPTOP, NODE, PI, SNAPSHOT, STATUS, SUMMARY } from './fixtures.ts'

const busy: FakeOptions['handlers'] = {
  backup: (_params, { onEvent }) => {
    onEvent({
      message_type: 'status',
      seconds_elapsed: 34,
      percent_done: 0.5,
      total_files: 100,
      files_done: 50,
      total_bytes: 2048,
      bytes_done: 1024,
      error_count: 1,
      current_files: ['/a/\u001b[31mred'],
    })
    onEvent({
      message_type: 'error',
      error: { message: 'permission denied' },
      during: 'archival',
      item: '/a/secret',
      code: 'SOURCE_UNREADABLE',
    })
    onEvent({ message_type: 'verbose_status', action: 'new', item: '/a/b', data_size: 3 })
    return SUMMARY
  },
}

describe('output', () => {
  it('of a backup into a pipe is a summary for people, without progress', async () => {
    const { stdout, stderr } = await cellar(['backup', '/a'], { handlers: busy })
    assert.doesNotMatch(stdout, /\u001b|\r|50\.00%|\/a\/b/)
    assert.match(stdout, /Files: +2 new, +0 changed, +0 unmodified\n/)
    assert.match(stdout, /Added to the store: 1\.014 KiB \(741 B stored\)\n/)
    assert.match(stdout, /snapshot 9958b48b saved, on 1 of 3 devices; the others get it by themselves/)
    assert.equal(stderr, 'error: permission denied: /a/secret\n')
  })

  it('on a terminal draws a progress line in place, and takes it away', async () => {
    const { stdout } = await cellar(['backup', '/a', '--no-color'], {
      handlers: busy,
      terminal: true,
      columns: 120,
    })
    assert.ok(
      stdout.startsWith(
        '\r\u001b[2K[0:34] 50.00%  50 / 100 files, 1.000 KiB / 2.000 KiB, 30 B/s, 1 error, 0:34 left  /a/\\x1b[31mred\r\u001b[2K',
      ),
      stdout,
    )
  })

  it('never lets a name move the cursor of a terminal', async () => {
    const { stdout } = await cellar(['ls', 'latest'], {
      handlers: {
        ls: (_params, { onEvent }) => (onEvent({ ...NODE, path: '/a\u001b]0;x\u0007\n' }), { nodes: 1 }),
      },
      terminal: true,
    })
    assert.equal(stdout, '/a\\x1b]0;x\\x07\\x0a\n')
  })

  it('cuts the progress line to the terminal', async () => {
    const { stdout } = await cellar(['backup', '/a'], { handlers: busy, terminal: true, columns: 30 })
    const line = /^\r\u001b\[2K([^\r]*)/.exec(stdout)?.[1] ?? ''
    assert.equal(line.length, 29)
    assert.ok(line.endsWith('…'))
  })

  it('with --json is one message a line, errors on stderr, and nothing else', async () => {
    const { stdout, stderr } = await cellar(['backup', '/a', '--json'], { handlers: busy, terminal: true })
    assert.deepEqual(
      jsonLines(stdout).map((line) => line['message_type']),
      ['status', 'verbose_status', 'summary'],
    )
    assert.deepEqual(jsonLines(stdout).at(-1), SUMMARY)
    assert.deepEqual(
      jsonLines(stderr).map((line) => line['message_type']),
      ['error'],
    )
    const quiet = await cellar(['backup', '/a', '--json', '-q'], { handlers: busy })
    assert.deepEqual(
      jsonLines(quiet.stdout).map((line) => line['message_type']),
      ['verbose_status', 'summary'],
    )
  })

  it('with --quiet is errors only', async () => {
    const { stdout, stderr } = await cellar(['backup', '/a', '-q'], {
      handlers: busy,
      terminal: true,
      env: { NO_COLOR: '1' },
    })
    assert.equal(stdout, '')
    assert.equal(stderr, 'error: permission denied: /a/secret\n')
  })

  it('with --verbose names each file', async () => {
    const { stdout } = await cellar(['backup', '/a', '-v'], { handlers: busy })
    assert.match(stdout, /^new {7}\/a\/b, 3 B\n/)
  })

  it('has colour on a terminal, not with --no-color, NO_COLOR, or TERM=dumb', async () => {
    const plain = /^\u001b\[31m/
    assert.match((await cellar(['backup', '/a'], { handlers: busy, terminal: true })).stderr, plain)
    assert.doesNotMatch(
      (await cellar(['backup', '/a', '--no-color'], { handlers: busy, terminal: true })).stderr,
      plain,
    )
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      assert.doesNotMatch(
        (await cellar(['backup', '/a'], { handlers: busy, terminal: true, env })).stderr,
        plain,
      )
    }
    assert.doesNotMatch((await cellar(['backup', '/a'], { handlers: busy })).stderr, plain)
  })

  it('of ls into a pipe gives the true bytes of names', async () => {
    const path_b64 = Buffer.from('/b\xff', 'latin1').toString('base64')
    const handlers: FakeOptions['handlers'] = {
      ls: (_params, { onEvent }) => (onEvent({ ...NODE, path: '/b\ufffd', path_b64 }), { nodes: 1 }),
    }
    assert.deepEqual(
      (await cellar(['ls', 'latest'], { handlers })).stdoutBytes,
      Buffer.from('/b\xff\n', 'latin1'),
    )
    assert.equal(
      jsonLines((await cellar(['ls', 'latest', '--json'], { handlers })).stdout)[0]?.['path_b64'],
      path_b64,
    )
  })

  it('of lists is an array with --json and an aligned table without', async () => {
    const handlers = {
      snapshots: () => [SNAPSHOT, { ...SNAPSHOT, device_name: 'desktop', tags: [] }],
      devices: () => [LAPTOP, PI],
    }
    assert.deepEqual(
      JSON.parse((await cellar(['snapshots', '--json'], { handlers })).stdout),
      handlers.snapshots(),
    )
    const lines = (await cellar(['snapshots'], { handlers })).stdout.split('\n')
    assert.equal(lines[0], 'ID        Time                 Device   Tags   Size  Copies  Paths')
    assert.match(
      lines[2] ?? '',
      /^9958b48b {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}laptop {3}daily {11}2\/3 {2}\/home\/ann$/,
    )
    assert.equal(lines[4], '2 snapshots')
    const devices = (await cellar(['devices'], { handlers })).stdout.split('\n')
    assert.match(devices[2] ?? '', /^laptop {2}writer {2}this device {3}5\.000 MiB {2}2 of 3/)
    assert.match(devices[3] ?? '', /^pi {6}storer {2}3 days ago/)
  })

  it('of status begins with the one sentence, and is nothing else with --quiet', async () => {
    const handlers = { status: () => STATUS }
    const { stdout } = await cellar(['status'], { handlers })
    assert.match(stdout, /^All 3 snapshots are on every device that stores\.\n\ndevice /)
    assert.equal(
      (await cellar(['status', '-q'], { handlers })).stdout,
      'All 3 snapshots are on every device that stores.\n',
    )
    const json = jsonLines((await cellar(['status', '--json'], { handlers })).stdout)[0]!
    assert.equal(json['verdict'], 'safe')
    assert.deepEqual(json['snapshots'], STATUS.snapshots)
  })

  it('of init says where the keys lie and what to do next', async () => {
    const { stdout } = await cellar(['init'])
    assert.match(stdout, /^This device is desktop, the first of a new mesh\./)
    for (const text of [
      /mesh {4}abababab/,
      /keys {4}\/home\/ann\/\.cellar/,
      /cellar service install/,
      /cellar invite/,
      /cellar backup PATH/,
    ])
      assert.match(stdout, text)
  })

  it('of join shows the check words, and says how to have the node run', async () => {
    const { stdout } = await cellar(['join', '4821', 'a', 'b', 'c', 'd'])
    assert.match(stdout, /Check words, the same on both devices: apple river stone/)
    assert.match(stdout, /cellar service install/)
  })

  it('of invite shows the code, wrong tries, and who came', async () => {
    const handlers: FakeOptions['handlers'] = {
      invite: (_params, { onEvent }) => {
        onEvent({
          message_type: 'invitation',
          code: '4821-a-b-c-d',
          token: false,
          number: 4821,
          role: 'writer',
          addresses: ['192.168.1.9:4517'],
          expires_at: '2026-03-01T12:15:00Z',
        })
        onEvent({ message_type: 'wrong_try', left: 2 })
        return { device: '12D3KooWpi', name: 'pi', role: 'storer', check_words: ['x', 'y', 'z'] }
      },
    }
    const { stdout, stderr } = await cellar(['invite'], { handlers })
    assert.match(stdout, /\n {2}cellar join 4821-a-b-c-d\n/)
    assert.match(stdout, /--at 192\.168\.1\.9:4517/)
    assert.match(stdout, /pi has joined as storer\.\nCheck words, the same on both devices: x y z\n$/)
    assert.equal(stderr, 'error: a wrong code was tried; 2 tries are left\n')
  })

  it('of dump is the bytes of the file and nothing else', async () => {
    const handlers: FakeOptions['handlers'] = {
      dump: async (_params, { output }) => {
        await output(Uint8Array.of(0, 255, 10))
        return { bytes: 3 }
      },
    }
    const { stdoutBytes, status } = await cellar(['dump', 'latest', '/a'], { handlers })
    assert.equal(status, 0)
    assert.deepEqual(stdoutBytes, Buffer.of(0, 255, 10))
  })

  it("of each command's help has a description and examples", async () => {
    const { stdout } = await cellar(['--help'])
    const groups = ['Set up:', 'Every day:', 'Look inside:', 'Care:'].map((title) => stdout.indexOf(title))
    assert.deepEqual(
      [...groups].sort((a, b) => a - b),
      groups,
    )
    assert.ok(!groups.includes(-1))
    for (const name of [
      'init',
      'invite',
      'join',
      'devices',
      'start',
      'stop',
      'status',
      'backup',
      'snapshots',
      'restore',
      'ls',
      'find',
      'diff',
      'dump',
      'stats',
      'check',
      'version',
      'completion',
    ]) {
      const help = await cellar([name, '--help'])
      assert.equal(help.status, 0)
      assert.match(help.stdout, /\n\nExamples:\n {2}cellar |\n {2}pg_dump/, name)
      assert.equal(help.stderr, '')
    }
  })
})
