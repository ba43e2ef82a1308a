import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackupSummary, NodeHandle } from '../../../node/client.ts'
import { cellar, type FakeOptions, HOME, type Outcome } from './fake-world.ts'

describe('cellar config', () => {
  let directory: string
  let config: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cellar-config-'))
    config = join(directory, 'config.toml')
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  async function run(args: readonly string[], options: FakeOptions = {}): Promise<Outcome> {
    const home = () => Promise.resolve({ ...HOME, directory, config })
    return await cellar(['config', ...args], {
      ...options,
      door: { home, connect: () => Promise.resolve(undefined), ...options.door },
    })
  }

  /** An editor that runs a line of shell with the file as `$2`: what it is called with has an argument of its own. */
  function editor(line: string): FakeOptions {
    const path = join(directory, 'editor')
    writeFileSync(path, `#!/bin/sh\n${line}\n`)
    chmodSync(path, 0o700)
    return { env: { EDITOR: `'${path}' --wait`, PATH: process.env['PATH'] ?? '' } }
  }

  it('check says that all is in order, with or without a file', async () => {
    const { status, stdout } = await run(['check'])
    assert.equal(status, 0)
    assert.match(stdout, /There is no file .*: all is as without one\./)
    writeFileSync(config, 'mdns = false\n')
    assert.match((await run(['check'])).stdout, /is in order/)
  })

  it('check tells each mistake on a line, and ends with 2', async () => {
    writeFileSync(config, 'mdsn = false\nlimit_upload = "x"\n')
    const { status, stdout, stderr } = await run(['check'])
    assert.equal(status, 2)
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.slice(0, line.indexOf('"'))),
      [`${config}, line 1: `, `${config}, line 2: `],
    )
    assert.match(stderr, /has 2 mistakes\nto do: {2}mend the lines named: cellar config edit/)
  })

  it('check tells programs line, key and the nearest name', async () => {
    writeFileSync(config, 'mdsn = false\n')
    const { status, stdout, stderr } = await run(['--json', 'check'])
    assert.equal(status, 2)
    const { problems } = JSON.parse(stdout) as { problems: Record<string, unknown>[] }
    assert.deepEqual(
      [problems[0]?.['line'], problems[0]?.['key'], problems[0]?.['nearest']],
      [1, 'mdsn', 'mdns'],
    )
    assert.match(stderr, /"code":2/)
  })

  it('check looks at another file, and says what is in order and still probably not meant', async () => {
    const other = join(directory, 'other.toml')
    writeFileSync(other, '[profile.a]\nsources = ["/nowhere/at/all"]\n')
    const { status, stderr } = await run(['check', other])
    assert.equal(status, 0)
    assert.match(stderr, /note: profile a: \/nowhere\/at\/all is not there/)
  })

  it('show prints a file that says where each value comes from', async () => {
    writeFileSync(config, '[profile.a]\nsources = ["/etc"]\n')
    const { stdout } = await run(['show'], { env: { CELLAR_LIMIT_UPLOAD: '7' } })
    assert.match(stdout, new RegExp(`^# ${config}\n`))
    assert.match(stdout, /^limit_upload = 7 {2}# CELLAR_LIMIT_UPLOAD$/m)
    assert.match(stdout, /^mdns = true {2}# default$/m)
    assert.match(stdout, /^\[profile\.a\]\nsources = \["\/etc"\] {2}# line 2$/m)
  })

  it('edit begins with a file that explains itself, and leaves one that nobody else may read', async () => {
    const { status, stdout } = await run(
      ['edit'],
      editor('grep -q "cellar config check" "$2" && echo "mdns = false" >> "$2"'),
    )
    assert.equal(status, 0)
    assert.match(stdout, /config\.toml is changed\./)
    assert.match(readFileSync(config, 'utf8'), /^# Settings of this device[\s\S]*\nmdns = false\n$/)
    assert.equal(statSync(config).mode & 0o777, 0o600)
    assert.ok(!existsSync(`${config}.draft`))
  })

  it('edit keeps the old file when the editor fails, or nothing was changed', async () => {
    writeFileSync(config, 'mdns = false\n')
    const failed = await run(['edit'], editor('echo "mdns = true" > "$2"; exit 3'))
    assert.equal(failed.status, 1)
    assert.match(failed.stderr, /ended with 3: nothing was changed/)
    const same = await run(['edit'], editor('true'))
    assert.match(same.stdout, /Nothing was changed\./)
    assert.equal(readFileSync(config, 'utf8'), 'mdns = false\n')
    assert.ok(!existsSync(`${config}.draft`))
  })

  it('edit refuses mistakes, keeps the old file, and goes on with what was written', async () => {
    writeFileSync(config, 'mdns = false\n')
    const refused = await run(['edit'], editor('echo "mdns = maybe" > "$2"'))
    assert.equal(refused.status, 2)
    assert.match(refused.stdout, /config\.toml\.draft, line 1: this is no TOML/)
    assert.equal(readFileSync(config, 'utf8'), 'mdns = false\n')
    const mended = await run(['edit'], editor('sed -i s/maybe/true/ "$2"'))
    assert.match(mended.stderr, /this goes on with what was not taken over the last time/)
    assert.equal(readFileSync(config, 'utf8'), 'mdns = true\n')
    assert.ok(!existsSync(`${config}.draft`))
  })

  it('edit --discard begins with the file as it is', async () => {
    writeFileSync(config, 'mdns = false\n')
    await run(['edit'], editor('echo "mdns = maybe" > "$2"'))
    const { stdout } = await run(['edit', '--discard'], editor('echo "floor_newest = 2" >> "$2"'))
    assert.match(stdout, /is changed/)
    assert.equal(readFileSync(config, 'utf8'), 'mdns = false\nfloor_newest = 2\n')
  })

  it('edit changes what a link leads to, and leaves the link', async () => {
    const elsewhere = join(directory, 'dotfiles.toml')
    writeFileSync(elsewhere, 'mdns = false\n')
    symlinkSync(elsewhere, config)
    await run(['edit'], editor('echo "mdns = true" > "$2"'))
    assert.ok(lstatSync(config).isSymbolicLink())
    assert.equal(readFileSync(elsewhere, 'utf8'), 'mdns = true\n')
  })

  it('edit does not undo what somebody else wrote meanwhile', async () => {
    writeFileSync(config, 'mdns = false\n')
    const { status, stderr } = await run(
      ['edit'],
      editor(`echo "mdns = true" > "$2"; echo "floor_newest = 5" > '${config}'`),
    )
    assert.equal(status, 2)
    assert.match(stderr, /was changed by someone else meanwhile; yours is in .*\.draft/)
    assert.equal(readFileSync(config, 'utf8'), 'floor_newest = 5\n')
  })

  it('reload says what changed and what waits, and that no node runs', async () => {
    const reloaded = {
      message_type: 'config_reloaded',
      path: config,
      changed: ['profile'],
      needs_restart: ['store'],
    } as const
    const handle = {
      call: () => Promise.resolve(reloaded),
      close: () => Promise.resolve(),
    } as unknown as NodeHandle
    const { stdout, stderr } = await run(['reload'], { door: { connect: () => Promise.resolve(handle) } })
    assert.match(stdout, /The running node follows: profile\./)
    assert.match(stderr, /store waits until it is started again/)
    assert.equal((await run(['reload'])).status, 1)
  })
})

describe('cellar backup --profile', () => {
  const SUMMARY = {
    message_type: 'summary',
    unread: [],
    copies: 1,
    copies_wanted: 1,
    dry_run: false,
  } as unknown as BackupSummary
  const handlers = { backupProfile: () => SUMMARY, backup: () => SUMMARY }

  it('hands over the profile, and only what was given in the place of what it says', async () => {
    const { calls } = await cellar(['--json', 'backup', '--profile', 'photos'], { handlers })
    assert.deepEqual(calls, [
      { method: 'backupProfile', params: { profile: 'photos', force: false, instead: {} } },
    ])
    const more = await cellar(
      [
        '--json',
        'backup',
        '-P',
        'photos',
        '--force',
        '-e',
        '*.tmp',
        '--tag',
        'a,b',
        '--wait=2',
        '-n',
        '/etc',
      ],
      { handlers },
    )
    assert.deepEqual(more.calls[0]?.params, {
      profile: 'photos',
      force: true,
      instead: { paths: ['/etc'], excludes: ['*.tmp'], tags: ['a', 'b'], dryRun: true, wait: 2 },
    })
  })

  it('is refused with a stream, and --force without it', async () => {
    for (const args of [
      ['--profile', 'a', '--stdin'],
      ['--force', '/etc'],
    ]) {
      const { status, calls } = await cellar(['backup', ...args], { handlers })
      assert.equal(status, 2)
      assert.deepEqual(calls, [])
    }
  })
})
