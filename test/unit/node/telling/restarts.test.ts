/** Telling over restarts: what nobody has heard yet, and ends of what was heard (node/spec/telling.md). */
import assert from 'node:assert/strict'
import { memoryCatalog } from '../../../../storage/index.ts'
import { FakeOutside, hook, openTelling, task, tiding } from './fixtures.ts'

describe('telling over restarts', () => {
  it('what was not told in the end is told the next time', async () => {
    const { telling, outside, events } = await openTelling({ config: { hooks: [hook()] } })
    outside.answers(404)
    await telling.tell(tiding())
    outside.answers(200)
    await telling.tell(tiding())
    await telling.tell(tiding())
    assert.equal(outside.asked.length, 2)
    events.emit({ kind: 'view' })
    await telling.close()
  })

  it('what nobody has heard yet when the node ends is told anew by the next one', async () => {
    const catalog = memoryCatalog()
    const standing = { on: 'silent', title: 'pi is back', profile: '', device: 'pi' } as const
    const silent = tiding({ on: 'silent', about: 'silent/pi', title: 'pi is silent', device: 'pi' })
    const asked: number[] = []
    for (const status of [503, 503, 200, 200]) {
      const outside = new FakeOutside()
      outside.answers(status)
      const { telling } = await openTelling({ catalog, outside, config: { hooks: [hook()] } })
      await telling.tell(silent, standing)
      await telling.tell(silent, standing)
      await telling.close()
      asked.push(outside.titles().filter((title) => title === 'pi is silent').length)
    }
    assert.deepEqual(asked, [1, 1, 1, 0])
  })

  it('TE5.2: what holds is told once over restarts, and its end once', async () => {
    const catalog = memoryCatalog()
    const standing = { on: 'silent', title: 'pi is back', profile: '', device: 'pi' } as const
    const silent = tiding({ on: 'silent', about: 'silent/pi', title: 'pi is silent', device: 'pi' })
    const asked: string[] = []
    for (const step of ['tell', 'tell', 'end', 'end']) {
      const { telling, outside } = await openTelling({ catalog, config: { hooks: [hook()] } })
      await (step === 'tell' ? telling.tell(silent, standing) : telling.end('silent/pi'))
      await telling.close()
      asked.push(...outside.titles())
    }
    assert.deepEqual(asked, ['pi is silent', 'pi is back'])
  })

  it('an end that nobody has heard when the node ends is told by the next one, and then no more', async () => {
    const catalog = memoryCatalog()
    const standing = { on: 'silent', title: 'pi is back', profile: '', device: 'pi' } as const
    const silent = tiding({ on: 'silent', about: 'silent/pi', title: 'pi is silent', device: 'pi' })
    const asked: number[] = []
    for (const [step, status] of [
      ['tell', 200],
      ['end', 503],
      ['end', 503],
      ['end', 200],
      ['end', 200],
    ] as const) {
      const outside = new FakeOutside()
      outside.answers(status)
      const { telling } = await openTelling({ catalog, outside, config: { hooks: [hook()] } })
      if (step === 'tell') await telling.tell(silent, standing)
      else for (const about of ['silent/pi', 'silent/pi']) await telling.end(about)
      assert.deepEqual(telling.standing(), step === 'tell' ? ['silent/pi'] : [])
      await telling.close()
      asked.push(outside.titles().filter((title) => title.startsWith('pi is')).length)
    }
    assert.deepEqual(asked, [1, 1, 1, 1, 0])
  })

  it('the success after a failure is told by the next node, if nobody has heard of it', async () => {
    const catalog = memoryCatalog()
    const asked: string[][] = []
    for (const [outcome, status] of [
      ['failed', 200],
      ['done', 503],
      ['done', 200],
      ['done', 200],
    ] as const) {
      const outside = new FakeOutside()
      outside.answers(status)
      const { telling, events } = await openTelling({ catalog, outside, config: { hooks: [hook()] } })
      events.emit(task({ outcome, ...(outcome === 'failed' && { code: 'STORE_FULL' }) }))
      await telling.close()
      asked.push(outside.titles().filter((title) => title.includes('photos')))
    }
    assert.deepEqual(
      asked.map((titles) => titles.length),
      [1, 1, 1, 0],
    )
  })

  it('the end of what nobody has heard of is not owed to anybody', async () => {
    const catalog = memoryCatalog()
    const standing = { on: 'silent', title: 'pi is back', profile: '', device: 'pi' } as const
    const outside = new FakeOutside()
    outside.answers(503)
    const { telling } = await openTelling({ catalog, outside, config: { hooks: [hook()] } })
    await telling.tell(tiding({ on: 'silent', about: 'silent/pi' }), standing)
    await telling.end('silent/pi')
    await telling.close()
    const next = await openTelling({ catalog, config: { hooks: [hook()] } })
    assert.deepEqual(next.telling.standing(), [])
    await next.telling.close()
  })

  it('who hears late of what has ended is owed its end', async () => {
    const catalog = memoryCatalog()
    const standing = { on: 'silent', title: 'pi is back', profile: '', device: 'pi' } as const
    const outside = new FakeOutside()
    outside.answer = () => ({ status: outside.asked.length === 3 ? 200 : 503, retryAfterSeconds: undefined })
    const { telling, clock } = await openTelling({ catalog, outside, config: { hooks: [hook()] } })
    await telling.tell(tiding({ on: 'silent', about: 'silent/pi', title: 'pi is silent' }), standing)
    await telling.end('silent/pi')
    await clock.advance(10_000)
    assert.deepEqual(outside.titles().slice(0, 3), ['pi is silent', 'pi is back', 'pi is silent'])
    await telling.close()
    const next = await openTelling({ catalog, config: { hooks: [hook()] } })
    assert.deepEqual(next.telling.standing(), ['silent/pi'])
    await next.telling.close()
  })
})
