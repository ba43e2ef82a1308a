import assert from 'node:assert/strict'
import { Asker } from '../../../cli/asker.ts'
import type { Recovered } from '../../../node/client.ts'
import { PaperKey } from '../../../node/recovery/paper-key.ts'
import { cellar, INITIALIZED, PHRASE } from './fake-world.ts'

const PAPER = PaperKey.read(PHRASE)
const CONFIRMED = {
  message_type: 'recovery_confirmed',
  device: PAPER.device,
  confirmed: '2026-03-01T12:00:00Z',
} as const
const MADE = {
  message_type: 'recovery_made',
  device: PAPER.device,
  name: 'paper',
  epoch: 3,
  replaced: true,
  vault_changed: true,
} as const
const handlers = { recoveryConfirm: () => CONFIRMED, recoveryNew: () => MADE }
const status = () => ({ mesh: { id: 'ab'.repeat(32), short_id: 'abababab' }, devices: [] }) as never
const RECOVERED: Recovered = {
  ...INITIALIZED,
  message_type: 'recovered',
  name: 'new-laptop',
  role: 'keeper',
  from: '12D3KooWpi',
  from_name: 'pi',
  others: [
    { name: 'pi', role: 'storer' },
    { name: 'desktop', role: 'keeper' },
  ],
}

/** Whether a text has the phrase, in any form that a person could read. */
function hasPhrase(text: string): boolean {
  return text.includes('abandon')
}

describe('cellar init and the recovery phrase', () => {
  it('shows it on a terminal, once, and has some of the words read back', async () => {
    const {
      stdout,
      calls,
      status: exit,
    } = await cellar(['init'], {
      terminal: true,
      handlers,
      stdin: ['abandon\nwrong\nabandon\n', 'abandon\n'],
    })
    assert.equal(exit, 0)
    assert.equal(stdout.match(/\d\. abandon/g)?.length, 23)
    assert.match(stdout, /24\. art/)
    assert.match(stdout, /The words are right/)
    assert.deepEqual(
      calls.map(({ method, params }) => [method, params]),
      [['recoveryConfirm', { device: PAPER.device }]],
    )
  })

  it('lets a person do that later', async () => {
    const { stdout, calls } = await cellar(['init'], { terminal: true, handlers, stdin: ['\n'] })
    assert.match(stdout, /cellar recovery confirm/)
    assert.deepEqual(calls, [])
  })

  it('makes none where nobody would see it, and says so', async () => {
    const plain = await cellar(['init'])
    assert.ok(!hasPhrase(plain.stdout + plain.stderr))
    assert.match(plain.stdout, /There is no recovery phrase/)
    const json = await cellar(['--json', 'init'])
    assert.deepEqual(JSON.parse(json.stdout), INITIALIZED)
    const none = await cellar(['init', '--no-recovery'], { terminal: true })
    assert.ok(!hasPhrase(none.stdout + none.stderr))
  })

  it('writes it to a file that was asked for, and then shows it nowhere', async () => {
    const { stdout, stderr, secrets } = await cellar(['init', '--recovery-file', 'p.txt'], { terminal: true })
    assert.equal(secrets.get('/home/ann/p.txt'), `${PHRASE}\n`)
    assert.ok(!hasPhrase(stdout + stderr))
  })

  it('has it in JSON only when it was asked for', async () => {
    const hidden = await cellar(['--json', 'init', '--recovery-file', 'p.txt'])
    assert.ok(!hasPhrase(hidden.stdout + hidden.stderr))
    const { stdout } = await cellar(['--json', 'init', '--show-recovery'])
    assert.equal((JSON.parse(stdout) as { recovery_phrase: string }).recovery_phrase, PHRASE)
  })
})

describe('cellar recovery', () => {
  it('new is refused where nobody would see the phrase', async () => {
    const { status: exit, calls } = await cellar(['recovery', 'new'])
    assert.equal(exit, 2)
    assert.deepEqual(calls, [])
  })

  it('new tells the node who signs, and no word', async () => {
    const { calls, secrets, stdout } = await cellar(['recovery', 'new', '--recovery-file', '/x/p.txt'], {
      handlers: { ...handlers, status },
    })
    assert.equal(secrets.get('/x/p.txt'), `${PHRASE}\n`)
    const proof = Buffer.from(PAPER.proofFor('ab'.repeat(32))).toString('hex')
    assert.deepEqual(calls.at(-1), { method: 'recoveryNew', params: { device: PAPER.device, proof } })
    assert.ok(!hasPhrase(stdout + JSON.stringify(calls)))
    assert.match(stdout, /phrase before is worth nothing/)
  })

  it('confirm takes the words from the terminal, and asks again for one that is not on the list', async () => {
    const words = PHRASE.split(' ')
    const typed = [`${words.slice(0, 6).join(' ')} abbandon zoo\n`, `${words.slice(6).join(' ')}\n`]
    const {
      status: exit,
      stderr,
      calls,
    } = await cellar(['recovery', 'confirm'], {
      terminal: true,
      handlers,
      stdin: typed,
    })
    assert.equal(exit, 0, stderr)
    assert.match(stderr, /word 7 is not on the list; go on from there/)
    assert.deepEqual(calls.at(-1)?.params, { device: PAPER.device })
  })

  it('confirm refuses words whose check is wrong with exit status 12, and repeats none of them', async () => {
    const wrong = PHRASE.replace('abandon', 'zoo')
    const { status: exit, stderr } = await cellar(['recovery', 'confirm', '--phrase-file', 'p'], {
      secrets: { '/home/ann/p': wrong },
    })
    assert.equal(exit, 12)
    assert.match(stderr, /not a recovery phrase/)
    assert.ok(!/abandon|zoo/.test(stderr))
  })

  it('kit writes the page for the words, or blank', async () => {
    const full = await cellar(['recovery', 'kit', '--output', 'k.html', '--phrase-file', 'p'], {
      secrets: { '/home/ann/p': PHRASE },
      handlers: { ...handlers, status },
    })
    assert.match(full.secrets.get('/home/ann/k.html') ?? '', /<li>art<\/li>/)
    const blank = await cellar(['recovery', 'kit', '--output', 'k.html', '--blank'], {
      handlers: { ...handlers, status },
    })
    assert.match(blank.secrets.get('/home/ann/k.html') ?? '', /class="line"/)
  })
})

describe('cellar recover', () => {
  it('hands the key over and tells what to do next', async () => {
    const papers: PaperKey[] = []
    const { status: exit, stdout } = await cellar(['recover', '--at', 'pi:4517', '--phrase-file', '-'], {
      stdin: [PHRASE],
      door: {
        recover: (_home, options, { paper }) => {
          papers.push(paper)
          assert.deepEqual(options.at, ['pi:4517'])
          return Promise.resolve(RECOVERED)
        },
      },
    })
    assert.equal(exit, 0)
    assert.equal(papers[0]?.device, PAPER.device)
    assert.match(stdout, /new-laptop.*let in by pi/)
    assert.match(stdout, /cellar devices remove desktop/)
    assert.ok(!stdout.includes('devices remove pi'))
    assert.ok(!hasPhrase(stdout))
  })

  it('takes no phrase as an argument, and asks nobody in a pipe', async () => {
    assert.equal((await cellar(['recover', ...PHRASE.split(' ')])).status, 2)
    assert.equal((await cellar(['recover'])).status, 2)
  })
})

describe('asking on a terminal', () => {
  /** An asker of what is typed, and how the terminal was set. */
  function askerOf(...typed: (string | number[])[]) {
    const hidden: boolean[] = []
    const shown: string[] = []
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for (const text of typed) yield Buffer.from(text as string)
    }
    const stdin = { isTerminal: true, bytes, setHidden: (isHidden: boolean) => void hidden.push(isHidden) }
    const stderr = {
      isTerminal: true,
      columns: 80,
      write: (text: string | Uint8Array) => Promise.resolve(void shown.push(String(text))),
    }
    const end = new AbortController()
    return { asker: new Asker(stdin, stderr, end.signal), hidden, shown, end }
  }

  it('shows nothing of a secret, and gives the terminal back', async () => {
    const { asker, hidden, shown } = askerOf('correct horse\r')
    assert.equal(await asker.secret('Passphrase: '), 'correct horse')
    assert.deepEqual(hidden, [true, false])
    assert.ok(!shown.join('').includes('horse'))
  })

  it('takes back what is rubbed out, whole characters of it', async () => {
    const { asker } = askerOf('häß', [127, 127], 'orse\r')
    assert.equal(await asker.secret(''), 'horse')
  })

  it('ends at Ctrl-C, and gives the terminal back', async () => {
    const { asker, hidden } = askerOf('abc', [3])
    await assert.rejects(asker.secret(''), { code: 'ABORTED' })
    assert.deepEqual(hidden, [true, false])
  })

  it('ends with the command while it waits, and gives the terminal back', async () => {
    const { asker, hidden, end } = askerOf('abc')
    end.abort(new TypeError('interrupted'))
    await assert.rejects(asker.secret(''), { message: 'interrupted' })
    assert.deepEqual(hidden, [true, false])
  })

  it('reads line after line of one input, however it comes', async () => {
    const { asker } = askerOf('one\r\ntw', 'o\nthree')
    assert.deepEqual(
      [await asker.line(''), await asker.line(''), await asker.line(''), await asker.line('')],
      ['one', 'two', 'three', undefined],
    )
  })
})

describe('a passphrase', () => {
  const ask = (env: Record<string, string>, secrets = {}) =>
    cellar(['devices'], {
      env,
      secrets,
      door: {
        reach: async (_home, _signal, { passphrase }) => {
          seen.push((await passphrase?.()) ?? '')
          throw new TypeError('seen')
        },
      },
    })
  let seen: string[] = []
  beforeEach(() => {
    seen = []
  })

  it('comes from the environment, or from the file that it names', async () => {
    await ask({ CELLAR_PASSPHRASE: 'correct horse' })
    await ask({ CELLAR_PASSPHRASE_FILE: '/run/secret' }, { '/run/secret': 'battery staple\n' })
    assert.deepEqual(seen, ['correct horse', 'battery staple'])
  })

  it('is asked of nobody where there is no terminal: exit status 12', async () => {
    assert.equal((await ask({})).status, 12)
  })
})
