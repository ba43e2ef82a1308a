/** Numbers and times, drawn: digits of one width, and the exact value for who looks closer. */

import { useStore, Store } from '../store.ts'
import { agoText, bytesText, numberText, timeText } from './format.ts'

/** The clock of the page; drawn times go on by themselves. */
const now = new Store(Date.now())
if (typeof window !== 'undefined') window.setInterval(() => now.set(Date.now()), 15_000)

/** Now; whoever asks is drawn again each quarter of a minute. */
export function useNow(): number {
  useStore(now)
  return Date.now()
}

/** Bytes, short; the exact number on hovering. */
export function Bytes({ value }: { readonly value: number }) {
  return (
    <span class="number" title={`${numberText(value)} bytes`}>
      {bytesText(value)}
    </span>
  )
}

/** How long ago, or until; the exact time on hovering. */
export function Ago({ time }: { readonly time: string }) {
  return (
    <time class="number" dateTime={time} title={timeText(time)}>
      {agoText(time, useNow())}
    </time>
  )
}

/** A time, exact to the minute. */
export function Time({ time }: { readonly time: string }) {
  return (
    <time class="number" dateTime={time} title={time}>
      {timeText(time)}
    </time>
  )
}
