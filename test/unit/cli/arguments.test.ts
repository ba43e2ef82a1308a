import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackupParams, RestoreParams } from '../../../node/client.ts'
import { cellar, jsonLines } from './fake-world.ts'
import { RESTORED, SUMMARY } from './fixtures.ts'

const backup = { backup: () => SUMMARY }
const restore = { restore: () => RESTORED }

async function paramsOf(args: readonly (string | Buffer)[], options = {}): Promise<BackupParams> {
  const outcome = await cellar(['backup', ...args], { handlers: backup, ...options })
  assert.equal(outcome.status, 0, outcome.stderr)
  return outcome.calls[0]?.params as BackupParams
}

describe('arguments of the command line', () => {
  it('make paths absolute and plain', async () => {
    const { paths } = await paramsOf(['docs/', './a//b/../c', '/etc/.', '..'], { directory: '/home/ann' })
    assert.deepEqual(paths, ['/home/ann/docs', '/home/ann/a/c', '/etc', '/home'])
  })

  it('keep paths that are not UTF-8', async () => {
    const { paths } = await paramsOf([Buffer.from([0x62, 0xff, 0xc3])])
    assert.deepEqual(paths, [{ b64: Buffer.from('/home/ann/b\xff\xc3', 'latin1').toString('base64') }])
  })

  it('take --wait alone without eating the path behind it', async () => {
    const params = await paramsOf(['--wait', '/etc'])
    assert.equal(params.wait, 'goal')
    assert.deepEqual(params.paths, ['/etc'])
    assert.equal((await paramsOf(['--wait=2', '/etc'])).wait, 2)
    assert.equal((await paramsOf(['/etc'])).wait, undefined)
  })

  it('read sizes, tags, times and patterns as restic does', async () => {
    const params = await paramsOf([
      '/etc',
      '--exclude-larger-than',
      '1.5M',
      '--tag',
      'a,b',
      '--tag',
      'c',
      '--time',
      '2026-03-01T10:00:00+02:00',
      '-e',
      '*.o',
      '--iexclude',
      '*.TMP',
      '-x',
      '-n',
    ])
    assert.equal(params.excludeLargerThan, 1.5 * 1024 * 1024)
    assert.deepEqual(params.tags, ['a', 'b', 'c'])
    assert.equal(params.time, '2026-03-01T10:00:00+02:00')
    assert.deepEqual([params.excludes, params.iexcludes], [['*.o'], ['*.TMP']])
    assert.deepEqual([params.oneFileSystem, params.dryRun], [true, true])
  })

  it('read files of patterns and of paths', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cellar-arguments-'))
    try {
      writeFileSync(join(directory, 'excludes'), '# a comment\n\n*.o\n$HOME/.cache\ncosts$$\n')
      writeFileSync(join(directory, 'paths'), '/etc\n# not this\n*.lst\n')
      writeFileSync(join(directory, 'raw'), Buffer.from('a\n\xff\0b\0', 'latin1'))
      for (const name of ['b.lst', 'a.lst', 'c.txt']) writeFileSync(join(directory, name), '')
      const params = await paramsOf(
        ['--exclude-file', 'excludes', '--files-from', 'paths', '--files-from-raw', 'raw'],
        {
          directory,
          env: { HOME: '/home/ann' },
        },
      )
      assert.deepEqual(params.excludes, ['*.o', '/home/ann/.cache', 'costs$'])
      const raw = { b64: Buffer.from(`${directory}/a\n\xff`, 'latin1').toString('base64') }
      assert.deepEqual(params.paths, [
        '/etc',
        `${directory}/a.lst`,
        `${directory}/b.lst`,
        raw,
        `${directory}/b`,
      ])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('send the choice of a snapshot to the node as it was typed', async () => {
    const outcome = await cellar(
      [
        'restore',
        'latest:/home/ann',
        '-t',
        'out',
        '--device',
        'laptop',
        '--tag',
        'a,b',
        '--tag',
        'c',
        '--path',
        'docs',
        '-i',
        '*.odt',
        '--overwrite',
        'if-newer',
        '--from',
        'pi',
      ],
      { handlers: restore },
    )
    assert.equal(outcome.status, 0, outcome.stderr)
    const params = outcome.calls[0]?.params as RestoreParams
    assert.equal(params.snapshot, 'latest:/home/ann')
    assert.equal(params.target, '/home/ann/out')
    assert.deepEqual(params.filter, {
      devices: ['laptop'],
      paths: ['/home/ann/docs'],
      tags: [['a', 'b'], ['c']],
    })
    assert.deepEqual([params.includes, params.overwrite, params.from], [['*.odt'], 'if-newer', 'pi'])
  })

  it('accept global options on either side of the command', async () => {
    for (const args of [
      ['--json', 'backup', '/etc'],
      ['backup', '/etc', '--json'],
    ]) {
      const outcome = await cellar(args, { handlers: backup })
      assert.equal(jsonLines(outcome.stdout)[0]?.['message_type'], 'summary')
    }
  })

  it('give what the join code needs, however it is typed', async () => {
    assert.equal(
      (await cellar(['join', '4821', 'apple', 'river', 'stone', 'cloud'])).joins[0]?.code,
      '4821-apple-river-stone-cloud',
    )
    assert.equal(
      (await cellar(['join', '4821-apple-river-stone-cloud'])).joins[0]?.code,
      '4821-apple-river-stone-cloud',
    )
    assert.equal(
      (await cellar(['join', '-'], { stdin: ['4821 apple ri', 'ver stone cloud\n'] })).joins[0]?.code,
      '4821-apple-river-stone-cloud',
    )
    assert.equal((await cellar(['join'])).status, 2)
    assert.equal(
      (await cellar(['join'], { terminal: true, stdin: ['4821-a-b-c-d\n'] })).joins[0]?.code,
      '4821-a-b-c-d',
    )
  })

  it('name the device after the host', async () => {
    assert.equal((await cellar(['init'])).inits[0]?.name, 'laptop')
    assert.deepEqual((await cellar(['init', '--copies', '2', '--store', 'big'])).inits[0], {
      name: 'laptop',
      role: 'keeper',
      copies: 2,
      listen: [],
      store: '/home/ann/big',
    })
  })

  for (const [what, args] of [
    ['no path to back up', ['backup']],
    ['paths beside --stdin', ['backup', '--stdin', '/etc']],
    ['--stdin-from-command without a command', ['backup', '--stdin-from-command']],
    ['a size that is none', ['backup', '/etc', '--exclude-larger-than', 'big']],
    ['a time that is none', ['backup', '/etc', '--time', '2026-02-30 10:00:00']],
    ['copies that are none', ['backup', '/etc', '--wait=0']],
    ['a list of paths that is not there', ['backup', '--files-from', '/nonexistent/list']],
    ['no target to restore to', ['restore', 'latest']],
    ['an unknown choice', ['restore', 'latest', '-t', 'x', '--overwrite', 'sometimes']],
    ['two ways to read data', ['check', '--read-data', '--read-data-subset', '10%']],
    ['a part beyond the whole', ['check', '--read-data-subset', '6/5']],
    ['a keeper that may forget', ['invite', '--role', 'keeper', '--may-forget']],
    ['an unknown command', ['bakup']],
    ['an unknown option', ['status', '--bogus']],
    ['no command', []],
  ] as const) {
    it(`refuse ${what} with status 2, and ask no node`, async () => {
      const outcome = await cellar([...args])
      assert.equal(outcome.status, 2)
      assert.equal(outcome.calls.length, 0)
      assert.equal(outcome.stdout, '')
      assert.notEqual(outcome.stderr, '')
    })
  }

  it('point to the help of the command, or of its subcommand', async () => {
    for (const [args, command] of [
      [['devices', 'remove'], 'devices remove'],
      [['restore', 'latest'], 'restore'],
      [['forget'], 'forget'],
    ] as const) {
      const { stderr } = await cellar([...args])
      assert.ok(stderr.endsWith(`to do:  see cellar help ${command}\n`), stderr)
    }
    const { stdout } = await cellar(['help', 'devices', 'remove'])
    assert.match(stdout, /^Usage: cellar devices remove /)
    assert.match((await cellar(['help', 'devices'])).stdout, /^Usage: cellar devices /)
  })

  it('suggest the command that was meant', async () => {
    const { stderr } = await cellar(['snapshot'])
    assert.match(
      stderr,
      /^cellar: unknown command 'snapshot' \(Did you mean snapshots\?\)\nto do: {2}see cellar help\n$/,
    )
  })
})
