import assert from 'node:assert/strict'
import { CONFIG_DEFAULT } from '../../../../node/config/defaults.ts'
import { Settings } from '../../../../node/config/settings.ts'
import { Events, type NodeEvent } from '../../../../node/events.ts'
import { lineOf } from '../../../../node/logging/lines.ts'
import { type LogSink, openLog } from '../../../../node/logging/log.ts'
import type { DeviceId, RootId } from '../../../../protocol/index.ts'
import { ManualClock } from '../manual-clock.ts'

const desktop = '12D3KooWdesktop' as DeviceId
const root = 'ab'.repeat(32) as RootId
const nameOf = () => 'desktop'

type Line = Readonly<Record<string, unknown>>

function logged(sink: Partial<LogSink> = {}) {
  const events = new Events()
  const settings = new Settings(CONFIG_DEFAULT)
  const clock = new ManualClock()
  const lines: Line[] = []
  const write = (text: string) => void lines.push(JSON.parse(text) as Line)
  const log = openLog({ events, settings, clock, nameOf }, { write, ...sink })
  return { events, settings, clock, lines, log }
}

describe('the log of a node', () => {
  it('is JSON, with a level by its name, a time and one sentence', () => {
    const { events, lines, clock } = logged()
    events.emit({ kind: 'held', root, bytes: 10 })
    assert.deepEqual(lines, [
      {
        level: 'info',
        time: new Date(clock.nowMs()).toISOString(),
        message: 'holds snapshot abababab',
        snapshot_id: root,
        bytes: 10,
      },
    ])
  })

  it('says how a task went, as gravely as that is', () => {
    const { events, lines } = logged()
    const task = { kind: 'task', name: 'backup', profile: 'photos' } as const
    events.emit({ ...task, outcome: 'began' })
    events.emit({ ...task, outcome: 'done', seconds: 3, summary: { files_new: 2 } })
    events.emit({ ...task, outcome: 'partly', message: 'one source could not be read', seconds: 3 })
    events.emit({ ...task, outcome: 'failed', message: 'the disk is full', code: 'STORE_FULL', seconds: 1 })
    events.emit({ ...task, outcome: 'failed', message: 'interrupted', code: 'ABORTED', seconds: 1 })
    events.emit({
      ...task,
      outcome: 'put-off',
      message: 'put off: the machine runs on its battery',
      code: 'PUT_OFF',
    })
    assert.deepEqual(
      lines.map(({ level, message }) => `${String(level)}: ${String(message)}`),
      [
        'info: backup of photos began',
        'info: backup of photos done',
        'warn: backup of photos done in part: one source could not be read',
        'error: backup of photos failed: the disk is full',
        'info: backup of photos ended early',
        'info: backup of photos waits: put off: the machine runs on its battery',
      ],
    )
    assert.deepEqual(lines[1]?.['summary'], { files_new: 2 })
  })

  it('names the device of a trouble, and keeps quiet of those that mend themselves', () => {
    const { events, lines } = logged()
    events.emit({ kind: 'trouble', code: 'PEER_PROTOCOL', message: 'breaks the rules', device: desktop })
    events.emit({ kind: 'trouble', code: 'PEER_GONE', message: 'is gone', device: desktop })
    events.emit({ kind: 'trouble', code: 'INTERNAL', message: 'Error: oh\n    at here' })
    assert.deepEqual(
      lines.map(({ level, message, code }) => [level, message, code]),
      [
        ['warn', 'desktop: breaks the rules', 'PEER_PROTOCOL'],
        ['error', 'Error: oh\n    at here', 'INTERNAL'],
      ],
    )
  })

  it('says what is said again and again once a minute, and how often it was left out (J6.2)', async () => {
    const { events, lines, clock } = logged()
    const trouble: NodeEvent = {
      kind: 'trouble',
      code: 'PEER_PROTOCOL',
      message: 'breaks the rules',
      device: desktop,
    }
    for (let i = 0; i < 100; i++) events.emit(trouble)
    assert.equal(lines.length, 1)
    await clock.advance(60_000)
    events.emit(trouble)
    assert.equal(lines.length, 2)
    assert.equal(lines[1]?.['repeated'], 99)
    // Tasks are told each time.
    for (let i = 0; i < 3; i++) events.emit({ kind: 'task', name: 'check', outcome: 'done' })
    assert.equal(lines.length, 5)
  })

  it('says as much as the settings want, also once they are changed', () => {
    const { events, lines, settings } = logged()
    const contact: NodeEvent = { kind: 'contact', device: desktop }
    events.emit(contact)
    settings.change({ ...CONFIG_DEFAULT, logLevel: 'debug' })
    events.emit(contact)
    settings.change({ ...CONFIG_DEFAULT, logLevel: 'silent' })
    events.emit({ kind: 'bad-chunk', id: root })
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['desktop knows of this device'],
    )
  })

  it('says as much as whoever started it wants, whatever the settings say', () => {
    const { events, lines, settings } = logged({ level: 'debug' })
    settings.change({ ...CONFIG_DEFAULT, logLevel: 'error' })
    events.emit({ kind: 'contact', device: desktop })
    assert.equal(lines.length, 1)
  })

  it('ends when it is closed', () => {
    const { events, lines, log } = logged()
    log.close()
    events.emit({ kind: 'held', root, bytes: 10 })
    assert.equal(lines.length, 0)
  })

  it('has no line for what says nothing to people', () => {
    assert.equal(lineOf({ kind: 'view' }, nameOf), undefined)
    assert.equal(lineOf({ kind: 'session' }, nameOf), undefined)
  })
})
