/** How numbers, times and names look to a person. */

/** Bytes as `B`, `KiB`, `MiB`, …: three decimals as restic's. */
export function formatBytes(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']
  let value = bytes / 1024
  for (const unit of units) {
    if (value < 1024 || unit === 'EiB')
      return bytes < 1024 ? `${String(bytes)} B` : `${value.toFixed(3)} ${unit}`
    value /= 1024
  }
  return `${String(bytes)} B`
}

/** A span as `m:ss` or `h:mm:ss`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (value: number): string => String(value).padStart(2, '0')
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${String(minutes)}:${two(whole % 60)}`
  return `${String(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(whole % 60)}`
}

/** A share 0..1 as `12.34%`. */
export function formatShare(share: number): string {
  return `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%`
}

/** An RFC 3339 time as local `YYYY-MM-DD HH:MM:SS`; what is no time is given back. */
export function formatTime(time: string): string {
  // Nanoseconds are more than Date reads.
  const date = new Date(time.replace(/(\.\d{3})\d+/, '$1'))
  if (Number.isNaN(date.getTime())) return time
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** How long ago, in the largest fitting unit: `now`, `5 minutes ago`, `3 days ago`. */
export function formatAgo(time: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(time)) / 1000
  if (Number.isNaN(seconds)) return time
  if (seconds < 60) return 'now'
  for (const [unit, size, limit] of [
    ['minute', 60, 60],
    ['hour', 3600, 48],
  ] as const) {
    if (seconds < size * limit) return `${count(Math.floor(seconds / size), unit)} ago`
  }
  return `${count(Math.floor(seconds / 86_400), 'day')} ago`
}

/** `1 file`, `2 files`. */
export function count(number: number, thing: string): string {
  return `${String(number)} ${number === 1 ? thing : `${thing}s`}`
}

/** A text that does nothing to a terminal: control characters show as `\xNN`, lone surrogates as U+FFFD. */
export function safeText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
      const code = character.charCodeAt(0)
      return code < 0x100
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : `\\u${code.toString(16).padStart(4, '0')}`
    })
}

/** An address as people type it: `HOST:PORT` for TCP over IP, anything else as it is. */
export function shortAddress(address: string): string {
  const [, kind, host = '', port = ''] =
    /^\/(ip4|ip6|dns4|dns6|dns)\/([^/]+)\/tcp\/(\d+)(?:\/p2p\/\w+)?$/.exec(address) ?? []
  if (kind === undefined) return safeText(address)
  return kind === 'ip6' ? `[${safeText(host)}]:${port}` : `${safeText(host)}:${port}`
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u
const NARROW = /\p{Mark}|\u200d|\ufe0f/u

/** Columns a text takes on a terminal, near enough for tables. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += NARROW.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

/** Cuts a text to so many columns, with an ellipsis when something is left out. */
export function fitWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let fitting = ''
  let width = 0
  for (const character of text) {
    width += displayWidth(character)
    if (width > columns - 1) break
    fitting += character
  }
  return columns > 0 ? `${fitting}…` : ''
}
