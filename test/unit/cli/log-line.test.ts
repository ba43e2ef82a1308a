import assert from 'node:assert/strict'
import { formatLogLine, isJournal } from '../../../cli/output/log-line.ts'

const line = (fields: object) =>
  `${JSON.stringify({ level: 'warn', time: '2026-03-01T12:00:00.000Z', ...fields })}\n`
const time = new Date('2026-03-01T12:00:00Z').toTimeString().slice(0, 8)

describe('a line of the log', () => {
  it('is left as it is for programs', () => {
    const json = line({ message: 'the store is full' })
    assert.equal(formatLogLine(json, 'json', false), json)
  })

  it('is one readable line on a terminal, with what the sentence does not say', () => {
    const json = line({
      message: 'desktop: breaks the rules',
      code: 'PEER_PROTOCOL',
      device: '12D3',
      summary: { a: 1 },
    })
    assert.equal(
      formatLogLine(json, 'terminal', false),
      `${time} warn  desktop: breaks the rules code=PEER_PROTOCOL\n`,
    )
    assert.match(formatLogLine(json, 'terminal', true), /\u001b\[33mwarn\u001b\[0m {2}desktop/)
  })

  it('has a priority in the journal, on each of its lines', () => {
    const json = line({ message: 'Error: oh\n    at here', level: 'error' })
    assert.equal(formatLogLine(json, 'journal', false), '<3>Error: oh\n<3>        at here\n')
    assert.equal(formatLogLine(line({ message: 'is full' }), 'journal', false), '<4>is full\n')
  })

  it('does nothing to a terminal, whatever a peer says', () => {
    const text = formatLogLine(line({ message: 'evil \u001b[2J\r', code: '\u0007' }), 'terminal', false)

    assert.doesNotMatch(text.slice(0, -1), /[\u0000-\u001f]/)
  })

  it('is given as it comes when it is something else', () => {
    assert.equal(formatLogLine('{"no":"line"}\n', 'terminal', false), '{"no":"line"}\n')
    assert.equal(formatLogLine('text\n', 'journal', false), 'text\n')
  })

  it('goes to the journal only when standard error is that very stream', () => {
    assert.equal(isJournal('8:1234', { dev: 8, ino: 1234 }), true)
    assert.equal(isJournal('8:1234', { dev: 8, ino: 99 }), false)
    assert.equal(isJournal(undefined, { dev: 8, ino: 1234 }), false)
  })
})
