/** Story 11: I hear of trouble without looking; with the examples of docs/monitoring.md as they stand there. */

import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { HookStatus, HookTested, Status } from '../../node/client.ts'
import type { Device } from '../tools/cellar.ts'
import {
  backUp,
  failedWith,
  Household,
  statusOf,
  until,
  untilAllHold,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { damageChunks } from '../tools/packs.ts'
import { projectText } from '../tools/project.ts'
import { MailReceiver, type Received, WebReceiver } from '../tools/receivers.ts'
import { seeded } from '../tools/seeded.ts'

const kibibyte = 1024
const password = 'a word for mail'

describe('story 11: I hear of trouble without looking', function () {
  this.timeout(240_000)
  let house: Household
  let web: WebReceiver
  let mail: MailReceiver
  let desktop: Device
  let laptop: Device
  let documents: string
  let metrics: string

  before(async () => {
    house = new Household()
    web = await WebReceiver.open()
    mail = await MailReceiver.open({
      allowInsecureAuth: true,
      onAuth: (auth, _session, done) => {
        if (auth.username === 'ann' && auth.password === password) done(null, { user: 'ann' })
        else done(new Error('no'))
      },
    })
    metrics = `127.0.0.1:${String(await freePort())}`
    documents = house.path('documents')
    mkdirSync(documents)
    writeFileSync(join(documents, 'letter'), seeded('letter').bytes(700 * kibibyte))
    writeFileSync(house.path('mail-password'), `${password}\n`, { mode: 0o600 })
    ;[desktop, laptop] = [house.device('desktop'), house.device('laptop')]
    await desktop.init()
    // The desktop looks after all; the laptop tells of its own backups.
    addSettings(desktop, `${settings('desktop', [])}\n[silence]\nlaptop = "4s"\n`)
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    const profile = `[profile.documents]\nsources = [${JSON.stringify(documents)}]\n`
    addSettings(
      laptop,
      `${settings('laptop', ['Healthchecks, which misses your backups'])}\n${profile}`.replaceAll(
        metrics,
        '127.0.0.1:0',
      ),
    )
    await laptop.start()
    await untilLinked(laptop, desktop)
  })
  after(async () => {
    await house[Symbol.asyncDispose]()
    await web.close()
    await mail.close()
  })

  /** The examples of the document, with the addresses of the receivers in the place of those of the services. */
  function settings(name: string, headings: readonly string[]): string {
    const smtp = `smtp://ann@127.0.0.1:${String(mail.port)}`
    const text = [
      ...['Discord', 'ntfy, to your telephone', 'Mail', ...headings].flatMap(examplesOf),
      ...examplesOf('Prometheus and Grafana'),
    ].join('\n')
    const placed = text
      .replace('https://discord.com/api/webhooks/ID/TOKEN', `${web.url}/discord`)
      .replace('https://ntfy.sh/a-name-that-nobody-guesses', `${web.url}/ntfy`)
      .replaceAll('https://hc-ping.com/UUID', `${web.url}/hc`)
      .replace('smtp://ann@mail.example.org:587', smtp)
      .replace('~/.config/rootcellar/mail-password', house.path('mail-password'))
      .replace('127.0.0.1:9517', metrics)
    assert.doesNotMatch(placed, /discord\.com|ntfy\.sh|hc-ping|example\.org:|9517/)
    const files = `text_file = "${house.path(`${name}.prom`)}"\npush = "${web.url}/gateway"\nevery = "10s"\n`
    return `status_file = "${house.path(`${name}.json`)}"\n${placed}\n${files}`
  }

  const told = (path: string, fits: (body: string) => boolean) =>
    web.one((request) => request.path === path && fits(request.body))

  it('a hook can be tried, and says what was answered', async () => {
    const tested = await laptop.json<HookTested>('hook', 'test', 'discord')
    assert.equal(tested.answer, `HTTP 200 from ${new URL(web.url).host}`)
    const { body, headers } = await told('/discord', (text) => text.includes('Test of'))
    assert.equal(headers['content-type'], 'application/json')
    const message = JSON.parse(body) as {
      username: string
      content: string
      allowed_mentions: { parse: string[] }
    }
    assert.deepEqual(message, {
      username: 'Rootcellar',
      content:
        '**Test of "discord" on laptop**\nTest of "discord" on laptop: this is only a test, nothing has happened.',
      allowed_mentions: { parse: [] },
    })
    assert.equal((await laptop.json<HookTested>('hook', 'test', 'email')).on, 'failure')
    assert.match((await mail.one(({ text }) => text.includes('Test of'))).text, /^To: ann@example\.org\r$/m)
    assert.equal(failedWith(await laptop.try('--json', 'hook', 'test', 'nobody'), 2), 'USAGE')
  })

  it('healthchecks is told that a backup begins, and how it ended', async () => {
    await laptop.run('backup', '--profile', 'documents')
    const { body } = await told('/hc/0', () => true)
    assert.match(body, /^Backup "documents" is done on laptop: 1 file, 700\.0 KiB new/)
    const pings = web.requests.filter(({ path }) => path.startsWith('/hc/')).map(({ path }) => path)
    assert.deepEqual(pings, ['/hc/start', '/hc/0'])
    assert.equal(
      web.requests.filter(({ path }) => path === '/ntfy').length,
      0,
      'what goes well is told to nobody else',
    )
  })

  it('a backup that fails is told at once: chat, telephone, mail, healthchecks', async () => {
    rmSync(documents, { recursive: true })
    const failed = await laptop.try('--json', 'backup', '--profile', 'documents')
    assert.notEqual(failed.status, 0)
    const failure = /Backup "documents" (failed|left something out) on laptop/
    const { content } = JSON.parse(
      (await told('/discord', (body) => failure.test(body.replaceAll('\\"', '"')))).body,
    ) as {
      content: string
    }
    assert.match(content, failure)
    assert.doesNotMatch(content, new RegExp(documents), 'no path goes to a server of strangers')
    const ntfy = await told('/ntfy', (body) => failure.test(body))
    assert.match(String(ntfy.headers['title']), failure)
    assert.match(String(ntfy.headers['priority']), /^[45]$/)
    const letter = await mail.one(({ text }) => failure.test(text))
    assert.equal(letter.user, 'ann')
    await web.one(({ path }) => path === '/hc/1' || path === '/hc/3')
  })

  it('the same failure is not told twice, and its end is', async () => {
    await laptop.try('backup', '--profile', 'documents')
    mkdirSync(documents)
    writeFileSync(join(documents, 'letter'), 'written again')
    await laptop.run('backup', '--profile', 'documents')
    await told('/ntfy', (body) => body.includes('works again on laptop'))
    const failures = web.requests.filter(
      ({ path, body }) => path === '/ntfy' && /failed|left something/.test(body),
    )
    assert.equal(failures.length, 1)
  })

  it('another device notices the silent one, tells once, and once when it is back', async () => {
    await untilAllHold([desktop, laptop], 2)
    await laptop.kill()
    const silent = await told('/ntfy', (body) => body.startsWith('laptop has been silent'))
    assert.match(silent.body, /To do: start rootcellar on laptop/)
    const { telling } = await untilStatus(
      desktop,
      'laptop silent',
      (status) => status.telling.silent.length > 0,
    )
    assert.deepEqual(
      telling.silent.map(({ name, lacks }) => [name, lacks]),
      [['laptop', 'sign']],
    )
    await laptop.start()
    await told('/ntfy', (body) => body.startsWith('laptop is back'))
    const all = web.requests.filter(
      ({ path, body }) => path === '/ntfy' && body.startsWith('laptop has been silent'),
    )
    assert.equal(all.length, 1)
  })

  it('a bad disk is told', async () => {
    await untilLinked(laptop, desktop)
    assert.ok(damageChunks(desktop.home, 100 * kibibyte).length > 0)
    await desktop.try('scrub')
    await told('/ntfy', (body) => body.startsWith('Data stored on desktop has gone bad'))
    await mail.one(({ text }) => text.includes('Damaged data on desktop'))
  })

  it('Prometheus gets figures from an address, a file and a gateway', async () => {
    // Figures may be some seconds old.
    const text = await until('the laptop in the figures', async () => {
      const response = await fetch(`http://${metrics}/metrics`)
      assert.equal(response.status, 200)
      const figures = await response.text()
      return /^rootcellar_device_connected\{device="laptop"\} 1$/m.test(figures) ? figures : undefined
    })
    assert.match(text, /^rootcellar_snapshots\{state="complete"\} \d+$/m)
    const file = await until('figures in a file', () => {
      const written = readFileSync(house.path('laptop.prom'), 'utf8')
      return written.includes('rootcellar_info') ? written : undefined
    })
    assert.equal(statSync(house.path('laptop.prom')).mode & 0o777, 0o644)
    assert.match(file, /^# TYPE rootcellar_task_runs_total counter$/m)
    const pushed = await web.one(
      ({ path, body }) => path.startsWith('/gateway/') && body.includes('profile="documents"'),
    )
    assert.deepEqual([pushed.method, pushed.path], ['PUT', '/gateway/metrics/job/rootcellar/instance/laptop'])
    assert.match(
      pushed.body,
      /^rootcellar_profile_last_success_timestamp_seconds\{profile="documents"\} \d{10}/m,
    )
  })

  it('a file always says how the node is', () => {
    const path = house.path('laptop.json')
    const status = JSON.parse(readFileSync(path, 'utf8')) as Status & { verdict: string; written_at: string }
    assert.ok(['safe', 'waiting', 'trouble', 'alone'].includes(status.verdict), status.verdict)
    assert.ok(Date.parse(status.written_at) > 0)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('a hook that fails changes no exit status, and is itself told of', async () => {
    web.answer = ({ path }: Received) => ({
      status: path.startsWith('/hc') ? 404 : 200,
    })
    await laptop.run('backup', '--profile', 'documents')
    await told('/ntfy', (body) => /Hook "healthchecks(-start)?" fails on laptop/.test(body))
    const hooks = await laptop.json<HookStatus[]>('hook', 'list')
    const failing = hooks.filter(({ message }) => message !== undefined).map(({ name }) => name)
    assert.deepEqual(failing, ['healthchecks-start', 'healthchecks'])
    const status = await statusOf(laptop)
    assert.ok(status?.problems.some(({ code, message }) => code === 'HOOK_FAILED' && message.includes('404')))
    web.answer = () => ({ status: 200 })
  })

  it('where no node runs, as under cron, a backup tells and writes all the same', async () => {
    await laptop.stop()
    rmSync(house.path('laptop.prom'))
    const before = web.requests.length
    await backUp(laptop, documents)
    assert.equal(
      web.requests.slice(before).filter(({ path }) => path.startsWith('/hc')).length,
      0,
      'of no profile',
    )
    await laptop.run('backup', '--profile', 'documents')
    const paths = web.requests.slice(before).map(({ path }) => path)
    assert.ok(paths.includes('/hc/start') && paths.includes('/hc/0'), paths.join(' '))
    assert.match(readFileSync(house.path('laptop.prom'), 'utf8'), /^rootcellar_running 0$/m)
  })
})

/** Behind those that keep it off real networks. */
function addSettings(device: Device, text: string): void {
  appendFileSync(join(device.home, 'config.toml'), `\n${text}`)
}

/** The settings that stand under a heading of the document. */
function examplesOf(heading: string): string[] {
  const section = projectText('docs/monitoring.md').split(`\n## ${heading}\n`)[1]?.split('\n## ')[0]
  const blocks = [...(section ?? '').matchAll(/```toml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  assert.ok(blocks.length > 0, `no example under ${heading}`)
  return blocks
}

/** A port where nothing listens now. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
