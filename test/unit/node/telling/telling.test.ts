import assert from 'node:assert/strict'
import { CellarError } from '../../../../protocol/index.ts'
import { memoryCatalog } from '../../../../storage/index.ts'
import type { NodeEvent } from '../../../../node/events.ts'
import { repeatMs, toldInHourMax } from '../../../../node/telling/flood.ts'
import { settle } from '../manual-clock.ts'
import { FakeOutside, hook, openTelling, task, tiding } from './fixtures.ts'

const minuteMs = 60_000

describe('telling', () => {
  it('tells a hook what it is for, and nothing else', async () => {
    const { telling, outside, events } = await openTelling({ config: { hooks: [hook({ on: ['failure'] })] } })
    events.emit(task({ outcome: 'began' }))
    events.emit(task({ outcome: 'failed', code: 'STORE_FULL', message: 'm' }))
    await settle()
    assert.deepEqual(outside.titles(), ['Backup "photos" failed on laptop'])
    await telling.close()
  })

  it('tells only of the profiles that a hook names, or that name the hook', async () => {
    const hooks = [
      hook({ name: 'named', profiles: ['photos'] }),
      hook({ name: 'other', profiles: ['music'] }),
    ]
    const { telling, outside, events } = await openTelling({ config: { hooks } })
    events.emit(task({ profile: 'photos', outcome: 'failed', code: 'STORE_FULL' }))
    events.emit({ kind: 'trouble', code: 'STORE_FULL', message: 'of no profile' })
    await settle()
    assert.equal(outside.asked.length, 1)
    await telling.close()
  })

  it('a backup waits for its hooks before, and begins when they fail too (TE1.1)', async () => {
    const outside = new FakeOutside()
    let answer = (): void => undefined
    outside.answer = () =>
      new Promise((_resolve, reject) => {
        answer = () => {
          reject(new CellarError('HOOK_FAILED', 'no'))
        }
      })
    const { telling, events } = await openTelling({ outside, config: { hooks: [hook({ on: ['before'] })] } })
    let isReady = false
    events.emit(
      task({
        outcome: 'began',
        waitFor: (work) => {
          void work.then(() => (isReady = true))
        },
      }),
    )
    await settle()
    assert.equal(isReady, false)
    answer()
    await settle()
    assert.equal(isReady, true)
    await telling.close()
  })

  it('tries again what may pass, until it works', async () => {
    const { telling, outside, clock, events } = await openTelling({ config: { hooks: [hook()] } })
    outside.answer = () => ({ status: outside.asked.length < 4 ? 503 : 200, retryAfterSeconds: undefined })
    events.emit(task({ outcome: 'failed', code: 'STORE_FULL' }))
    await settle()
    assert.equal(outside.asked.length, 1)
    await clock.advance(10_000)
    assert.equal(outside.asked.length, 2)
    await clock.advance(6 * minuteMs)
    assert.equal(outside.asked.length, 4)
    await clock.advance(repeatMs)
    assert.equal(outside.asked.length, 4)
    const [status] = telling.hookStatus()
    assert.deepEqual([status?.told, status?.failures, status?.message], [1, 3, undefined])
    await telling.close()
  })

  it('tries once what is refused, and waits as long as a server asks', async () => {
    const { telling, outside, clock, events } = await openTelling({ config: { hooks: [hook()] } })
    outside.answer = () =>
      outside.asked.length === 1
        ? { status: 429, retryAfterSeconds: 600 }
        : { status: 404, retryAfterSeconds: undefined }
    events.emit(task({ outcome: 'failed', code: 'STORE_FULL' }))
    await clock.advance(9 * minuteMs)
    assert.equal(outside.asked.length, 1)
    await clock.advance(2 * minuteMs)
    assert.equal(outside.asked.length, 2)
    await clock.advance(repeatMs)
    assert.equal(outside.asked.length, 2)
    await telling.close()
  })

  it('gives up a hook that does not answer in its time', async () => {
    const { telling, outside, clock, events } = await openTelling({
      config: { hooks: [hook({ on: ['success'], timeoutMs: 5000 })] },
    })
    outside.answer = (_request, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
      })
    events.emit(task())
    await clock.advance(4999)
    assert.equal(telling.hookStatus()[0]?.failures, 0)
    await clock.advance(1)
    assert.deepEqual(
      [telling.hookStatus()[0]?.failures, telling.hookStatus()[0]?.message],
      [1, 'no answer within 5 s'],
    )
    await telling.close()
  })

  it('TE5.5: a hook that fails is told to the others, not to itself; and that it works again', async () => {
    const hooks = [
      hook({ name: 'bad', url: 'https://bad.example/x' }),
      hook({ name: 'good', url: 'https://good.example/x' }),
    ]
    const { telling, outside, clock, events } = await openTelling({ config: { hooks } })
    const troubles: NodeEvent[] = []
    events.on((event) => {
      if (event.kind === 'trouble') troubles.push(event)
    })
    let badStatus = 404
    outside.answer = ({ url }) => ({
      status: url.includes('bad') ? badStatus : 200,
      retryAfterSeconds: undefined,
    })
    events.emit(task({ outcome: 'failed', code: 'STORE_FULL' }))
    await settle()
    const told = (host: string) =>
      outside.asked
        .filter(({ url }) => url.includes(host))
        .map(({ body }) => (JSON.parse(body ?? '') as { title: string }).title)
    assert.deepEqual(told('bad'), ['Backup "photos" failed on laptop'])
    assert.deepEqual(told('good'), ['Backup "photos" failed on laptop', 'Hook "bad" fails on laptop'])
    assert.deepEqual(troubles, [
      { kind: 'trouble', code: 'HOOK_FAILED', message: 'hook "bad": bad.example answered 404' },
    ])
    badStatus = 200
    await clock.advance(repeatMs)
    events.emit(task({ profile: 'music', outcome: 'failed', code: 'STORE_FULL' }))
    await settle()
    assert.ok(told('good').includes('Hook "bad" works again on laptop'))
    await telling.close()
  })

  it('TE5.4: above 20 in an hour the others come as one, an hour later', async () => {
    const { telling, outside, clock } = await openTelling({ config: { hooks: [hook()] } })
    for (let at = 0; at < toldInHourMax + 5; at++)
      void telling.tell(tiding({ about: `trouble/${String(at)}` }))
    await settle()
    assert.equal(outside.asked.length, toldInHourMax)
    await clock.advance(61 * minuteMs)
    assert.equal(outside.asked.length, toldInHourMax + 1)
    assert.equal(outside.titles().at(-1), '5 more messages of laptop')
    assert.deepEqual(telling.counts, { told: toldInHourMax + 1, heldBack: 5 })
    await telling.close()
  })

  it('a node opened for one command ends only when all was tried once', async () => {
    const outside = new FakeOutside()
    let answer = (): void => undefined
    outside.answer = () =>
      new Promise((resolve) => {
        answer = () => {
          resolve({ status: 500, retryAfterSeconds: undefined })
        }
      })
    const { telling, events } = await openTelling({
      outside,
      isRunning: false,
      config: { hooks: [hook({ on: ['after'] })] },
    })
    events.emit(task())
    let isClosed = false
    const closing = telling.close().then(() => (isClosed = true))
    await settle()
    assert.equal(isClosed, false)
    answer()
    await closing
    assert.equal(outside.asked.length, 1)
  })

  it('a node that runs ends soon, whatever a hook does', async () => {
    const outside = new FakeOutside()
    outside.answer = (_request, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
      })
    const { telling, events, clock } = await openTelling({
      outside,
      config: { hooks: [hook({ on: ['after'], timeoutMs: 600_000 })] },
    })
    events.emit(task())
    await settle()
    let isClosed = false
    const closing = telling.close().then(() => (isClosed = true))
    await clock.advance(3000)
    assert.equal(isClosed, true)
    await closing
  })

  it('remembers how tasks ended, for each profile', async () => {
    const catalog = memoryCatalog()
    const first = await openTelling({ catalog })
    first.events.emit(task({ summary: { snapshot_id: 'abc' } }))
    await first.clock.advance(1000)
    first.events.emit(task({ outcome: 'failed', code: 'STORE_FULL', message: 'm' }))
    first.events.emit(task({ outcome: 'put-off', code: 'PUT_OFF' }))
    await first.telling.close()
    const { telling } = await openTelling({ catalog })
    assert.deepEqual(telling.records.tasks.get('backup/photos'), {
      runs: { done: 1, partly: 0, failed: 1, 'put-off': 1 },
      lastMs: 1_000_000_001_000,
      lastOutcome: 'failed',
      lastSuccessMs: 1_000_000_000_000,
      seconds: 3,
      code: 'STORE_FULL',
      message: 'm',
      root: 'abc',
      copiedMs: 0,
    })
    await telling.close()
  })

  it('tells once of a drill that failed, though the bus tells of it twice', async () => {
    const { telling, outside, events } = await openTelling({ config: { hooks: [hook()] } })
    events.emit({ kind: 'trouble', code: 'DRILL_FAILED', message: 'a drill could not restore 1 of 2 files' })
    events.emit({ kind: 'task', name: 'drill', outcome: 'partly', message: 'm' })
    await settle()
    assert.equal(outside.asked.length, 1)
    await telling.close()
  })

  it('tells of rot, once a day', async () => {
    const { telling, outside, events } = await openTelling({ config: { hooks: [hook()] } })
    for (let at = 0; at < 3; at++) events.emit({ kind: 'bad-chunk', id: 'x' as never })
    await settle()
    assert.deepEqual(outside.titles(), ['Damaged data on laptop'])
    events.emit({ kind: 'trouble', code: 'DISK_ROTS', message: 'a chunk was damaged; it was mended' })
    await settle()
    assert.equal(outside.asked.length, 1, 'that it was mended is the same matter')
    events.emit({ kind: 'trouble', code: 'CHUNK_LOST', message: 'a damaged chunk' })
    await settle()
    assert.equal(outside.asked.length, 2, 'that nobody has it is another')
    await telling.close()
  })

  it('sends mail with the words of the error, and asks a program for the password', async () => {
    const email = {
      smtp: 'smtp://ann@mail.example',
      from: 'cellar@example.org',
      to: ['ann@example.org'],
      on: ['failure'],
      profiles: [],
      passwordFile: undefined,
      passwordCommand: ['pass', 'mail'],
    } as const
    const { telling, outside, events } = await openTelling({ config: { email } })
    events.emit(
      task({ outcome: 'failed', code: 'STORE_FULL', message: '/home/ann/x: no\nBcc: all@example.org' }),
    )
    await settle()
    const [sent] = outside.letters
    assert.deepEqual(outside.ran[0]?.command, ['pass', 'mail'])
    assert.deepEqual(sent?.post, { smtp: 'smtp://ann@mail.example', password: 'word' })
    assert.equal(sent.letter.subject, '[rootcellar] Backup "photos" failed on laptop')
    assert.match(sent.letter.text, /What: \/home\/ann\/x: no/)
    await telling.close()
  })

  it('a command gets its arguments without a shell, all fields in its environment, and JSON to read', async () => {
    const command = ['notify', '--title={{title}}', '{{profile}}; rm -rf /']
    const { telling, outside, events } = await openTelling({
      config: { hooks: [hook({ command, url: undefined })] },
    })
    events.emit(task({ outcome: 'failed', code: 'STORE_FULL', profile: '$(id)' }))
    await settle()
    const [call] = outside.ran
    assert.deepEqual(call?.command, ['notify', '--title=Backup "$(id)" failed on laptop', '$(id); rm -rf /'])
    assert.equal(call.env['CELLAR_HOOK_CODE'], 'STORE_FULL')
    assert.equal((JSON.parse(call.input) as { profile: string }).profile, '$(id)')
    await telling.close()
  })

  it('what cannot be read of what was remembered keeps no node from opening', async () => {
    const catalog = memoryCatalog()
    const key = 'task/backup/photos'
    await catalog.batch([{ type: 'put', key, value: new Uint8Array([1, 2, 3]) }], { durable: true })
    const { telling } = await openTelling({ catalog })
    assert.equal(telling.records.tasks.get('backup/photos'), undefined)
    await telling.close()
  })

  it('does not wait for more than it can remember', async () => {
    const outside = new FakeOutside()
    outside.answers(503)
    const { telling, clock } = await openTelling({ outside, config: { hooks: [hook({ on: ['after'] })] } })
    for (let at = 0; at < 250; at++) void telling.tell(tiding({ on: 'after', about: String(at) }))
    await settle()
    await clock.advance(1000)
    assert.match(telling.hookStatus()[0]?.message ?? '', /200 messages wait already|answered 503/)
    assert.equal(outside.asked.length, 200)
    await telling.close()
  })

  it('a template that cannot be filled in is a hook that fails, not a node that does', async () => {
    const { telling, events } = await openTelling({ config: { hooks: [hook({ body: '{{nonsense}}' })] } })
    events.emit(task({ outcome: 'failed', code: 'STORE_FULL' }))
    await settle()
    assert.match(telling.hookStatus()[0]?.message ?? '', /nonsense/)
    await telling.close()
  })
})
