import assert from 'node:assert/strict'
import { limitsAt, type LocalMoment, localMoment } from '../../../../node/config/limits.ts'
import { parseConfig } from '../../../../node/config/parse.ts'
import { WEEKDAYS, type Weekday } from '../../../../node/config/types.ts'

const at = (day: Weekday, time: string): LocalMoment => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return { day: WEEKDAYS.indexOf(day), minute: hours * 60 + minutes }
}

function uploadOf(text: string, moment: LocalMoment): number | undefined {
  const bytes = limitsAt(parseConfig(text, 'config.toml'), moment).uploadBytesPerSecond
  return bytes === undefined ? undefined : bytes / 1024
}

describe('limits by time of day', () => {
  const text = `limit_upload = 1000
limits = [
  { from = "08:00", to = "18:00", days = "mon..fri", upload = 100 },
  { from = "12:00", to = "13:00", upload = 200 },
  { from = "22:00", to = "06:00", days = "fri,sat", upload = "none" },
]`

  it('are those of the first rule that fits', () => {
    assert.equal(uploadOf(text, at('mon', '07:59')), 1000)
    assert.equal(uploadOf(text, at('mon', '08:00')), 100)
    assert.equal(uploadOf(text, at('mon', '12:30')), 100, 'the second fits too')
    assert.equal(uploadOf(text, at('fri', '17:59')), 100)
    assert.equal(uploadOf(text, at('fri', '18:00')), 1000)
    assert.equal(uploadOf(text, at('sun', '12:30')), 200)
  })

  it('go on past midnight, by the day on which they begin', () => {
    assert.equal(uploadOf(text, at('fri', '22:00')), undefined)
    assert.equal(uploadOf(text, at('sat', '05:59')), undefined)
    assert.equal(uploadOf(text, at('sat', '06:00')), 1000)
    assert.equal(uploadOf(text, at('sun', '05:59')), undefined, 'it began on Saturday')
    assert.equal(uploadOf(text, at('sun', '22:00')), 1000)
    assert.equal(uploadOf(text, at('fri', '03:00')), 1000, 'on Thursday none began')
  })

  it('leave to the others what they do not say', () => {
    const config = parseConfig(
      'limit_upload = 5\nlimit_download = 6\nlimits = [{ upload = 7 }]',
      'config.toml',
    )
    assert.deepEqual(limitsAt(config, at('tue', '00:00')), {
      uploadBytesPerSecond: 7 * 1024,
      downloadBytesPerSecond: 6 * 1024,
    })
  })

  it('last all day where they begin and end at one time, or say none', () => {
    for (const rule of [
      '{ upload = 1 }',
      '{ from = "00:00", to = "24:00", upload = 1 }',
      '{ from = "09:00", to = "09:00", upload = 1 }',
    ])
      for (const time of ['00:00', '08:59', '09:00', '23:59'])
        assert.equal(uploadOf(`limits = [${rule}]`, at('wed', time)), 1, `${rule} at ${time}`)
  })

  it('take days in any order and round the end of the week', () => {
    const rule = 'limits = [{ days = "sat..mon,wed", upload = 1 }]'
    const days = WEEKDAYS.filter((day) => uploadOf(rule, at(day, '10:00')) === 1)
    assert.deepEqual(days, ['sun', 'mon', 'wed', 'sat'])
  })

  it('go by the local clock', () => {
    const date = new Date(2026, 10, 23, 14, 5)
    assert.deepEqual(localMoment(date.getTime()), { day: date.getDay(), minute: 14 * 60 + 5 })
  })
})
