/** Short words about what was just done; they go by themselves, those about failures only when they are closed. */

import { Store, useStore } from '../store.ts'
import { Icon } from './icon.tsx'

interface Said {
  readonly id: number
  readonly text: string
  readonly tone: 'good' | 'bad'
}

const shownMs = 6000
const shownMax = 3
const saying = new Store<readonly Said[]>([])
let lastId = 0

/** Says something at the edge of the page. */
export function say(text: string, tone: Said['tone'] = 'good'): void {
  lastId += 1
  const id = lastId
  saying.set([...saying.value, { id, text, tone }].slice(-shownMax))
  if (tone === 'good') window.setTimeout(() => unsay(id), shownMs)
}

function unsay(id: number): void {
  saying.set(saying.value.filter((one) => one.id !== id))
}

/** Where they are shown; once, in the app. */
export function Toasts() {
  const said = useStore(saying)
  return (
    <div class="toasts" role="status" aria-live="polite">
      {said.map(({ id, text, tone }) => (
        <p key={id} class={`toast ${tone}`}>
          <Icon name={tone === 'good' ? 'check' : 'bad'} />
          <span>{text}</span>
          <button
            type="button"
            class="button quiet"
            aria-label="Close this message"
            onClick={() => unsay(id)}
          >
            <Icon name="close" />
          </button>
        </p>
      ))}
    </div>
  )
}
