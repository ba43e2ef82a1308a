/** How numbers and times look on the page. Pure; times are RFC 3339, spans in seconds. */

/** Bytes in the largest unit that fits, to three digits: `0 B`, `12.3 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`
}

/** `1 file`, `2 files`, `12,345 files`. */
export function countText(number: number, thing: string, things = `${thing}s`): string {
  return `${numberText(number)} ${number === 1 ? thing : things}`
}

/** Thousands apart. */
export function numberText(number: number): string {
  return number.toLocaleString('en')
}

/** A share 0..1 as `12 %`; whole only when it is. */
export function shareText(share: number): string {
  const percent = Math.max(0, Math.min(1, share)) * 100
  return `${String(percent > 99 && percent < 100 ? 99 : Math.round(percent))} %`
}

/** A span as people say it: `8 s`, `4 min`, `3 h`, `2 days`. */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${String(whole)} s`
  if (whole < 3600) return `${String(Math.round(whole / 60))} min`
  if (whole < 48 * 3600) return `${String(Math.round(whole / 3600))} h`
  return countText(Math.round(whole / 86_400), 'day')
}

/** How far a time lies from now: `just now`, `5 min ago`, `in 3 h`. */
export function agoText(time: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(time)) / 1000
  if (Number.isNaN(seconds)) return time
  if (Math.abs(seconds) < 45) return seconds >= 0 ? 'just now' : 'in a moment'
  return seconds > 0 ? `${spanText(seconds)} ago` : `in ${spanText(-seconds)}`
}

/** A time of this machine's clock, `22 Nov 2026, 14:05`; what is no time is given back. */
export function timeText(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return time
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
  return `${day}, ${date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`
}

/** Names in a sentence: `a`, `a and b`, `a, b and c`. */
export function listText(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

/** A sentence: a capital at the front, a stop at the end; a command stays as it is typed. */
export function sentenceText(message: string): string {
  const first = message.startsWith('cellar ') ? 'c' : message.charAt(0).toUpperCase()
  const text = `${first}${message.slice(1)}`
  return /[.!?]$/.test(text) ? text : `${text}.`
}
