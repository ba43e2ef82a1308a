/** The frame of every screen: what is so, in one sentence, then what to do, then the rest. */

import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'

/** How something stands; said by a word or a sentence too, never by colour alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'plain'

const MARKS: Readonly<Record<Tone, IconName | undefined>> = {
  good: 'check',
  warn: 'warning',
  bad: 'bad',
  plain: undefined,
}

/** What a screen takes. */
export interface ScreenProps {
  /** The name of the screen, as the navigation has it. */
  readonly title: string
  /** What is so, in one sentence; absent while it is not known yet. */
  readonly sentence?: ComponentChildren
  readonly tone?: Tone
  /** What to do about it. */
  readonly todo?: ComponentChildren
  /** Buttons for that. */
  readonly actions?: ComponentChildren
  readonly children?: ComponentChildren
}

/** One screen. */
export function Screen({ title, sentence, tone = 'plain', todo, actions, children }: ScreenProps) {
  useEffect(() => {
    document.title = title === 'Home' ? 'Rootcellar' : `${title} · Rootcellar`
  }, [title])
  const mark = MARKS[tone]
  return (
    <>
      <header class={`lead ${tone}`}>
        <h1 tabIndex={-1}>{title}</h1>
        <div class="sentence" aria-live="polite">
          {sentence === undefined ? (
            <p class="waiting">Asking the node…</p>
          ) : (
            <p>
              {mark !== undefined && <Icon name={mark} />}
              <span>{sentence}</span>
            </p>
          )}
        </div>
        {todo !== undefined && <p class="todo">{todo}</p>}
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  )
}

/** A part of a screen with a heading. */
export function Section(props: {
  readonly title: string
  readonly hint?: ComponentChildren
  readonly actions?: ComponentChildren
  readonly children: ComponentChildren
}) {
  return (
    <section class="section">
      <div class="section-head">
        <h2>{props.title}</h2>
        {props.hint !== undefined && <p class="hint">{props.hint}</p>}
        {props.actions !== undefined && <div class="actions">{props.actions}</div>}
      </div>
      {props.children}
    </section>
  )
}

/** A word with a mark, for how something stands. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>
}

/** What stands where there is nothing. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <div class="empty">{children}</div>
}

/** Something to know, in a frame of its own. */
export function Notice({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  const mark = MARKS[tone]
  return (
    <div class={`notice ${tone}`}>
      {mark !== undefined && <Icon name={mark} />}
      <div>{children}</div>
    </div>
  )
}

/** Why something could not be shown. */
export function Failed({ error, again }: { readonly error: Error; readonly again?: () => void }) {
  return (
    <div class="notice bad" role="alert">
      <Icon name="bad" />
      <div>
        <p>{error.message}</p>
        {again !== undefined && (
          <button type="button" class="button plain" onClick={again}>
            Try again
          </button>
        )}
      </div>
    </div>
  )
}
