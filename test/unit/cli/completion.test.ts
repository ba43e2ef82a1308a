import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cellar } from './fake-world.ts'

/** What bash offers behind a line, by the script itself. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const { stdout } = await cellar(['completion', 'bash'])
  const line = ['cellar', ...words].map((word) => `'${word}'`).join(' ')
  const script = `${stdout}\nCOMP_WORDS=(${line}); COMP_CWORD=${String(words.length)}; _cellar; printf '%s\\n' "\${COMPREPLY[@]}"`
  const shell = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
  assert.equal(shell.stderr, '')
  return shell.stdout.split('\n').filter((word) => word !== '')
}

describe('completion', () => {
  it('of bash offers commands, their commands, options and values', async () => {
    assert.deepEqual(await offered('st'), ['start', 'stop', 'status', 'stats'])
    assert.deepEqual(await offered('devices', 're'), ['remove', 'rename'])
    assert.deepEqual(await offered('--json', 'devices', 'ren'), ['rename'])
    assert.deepEqual(await offered('restore', '--over'), ['--overwrite'])
    assert.deepEqual(await offered('restore', '--overwrite', 'if'), ['if-changed', 'if-newer'])
    assert.deepEqual(await offered('completion', ''), ['bash', 'zsh', 'fish'])
    assert.deepEqual(await offered('help', 'snap'), ['snapshots'])
    assert.deepEqual(await offered('devices', 'lean', '--o'), ['--off'])
    assert.deepEqual(await offered('forget', '--keep-within-w'), ['--keep-within-weekly'])
    assert.ok((await offered('backup', '--')).includes('--home'))
  })

  it('of bash takes no value of an option for a command', async () => {
    assert.deepEqual(await offered('--home', 'backup', 'stat'), ['status', 'stats'])
  })

  it('of zsh and fish names every command and option', async () => {
    const zsh = (await cellar(['completion', 'zsh'])).stdout
    const fish = (await cellar(['completion', 'fish'])).stdout
    assert.ok(zsh.startsWith('#compdef cellar\n'))
    for (const name of ['init', 'backup', 'devices', 'completion', 'rename']) {
      assert.ok(zsh.includes(`'${name}:`), name)
      assert.ok(fish.includes(`-a '${name}'`), name)
    }
    assert.ok(zsh.includes('--exclude-larger-than'))
    assert.ok(fish.includes('-l exclude-larger-than -r'))
    // Each quote that opens closes.
    for (const script of [zsh, fish]) assert.equal(script.replaceAll("'\\''", '').split("'").length % 2, 1)
  })

  it('knows three shells', async () => {
    assert.equal((await cellar(['completion', 'csh'])).status, 2)
  })
})
