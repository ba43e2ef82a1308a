/** What can be pressed: buttons do, links go somewhere. */

import type { ComponentChildren } from 'preact'
import type { IconName } from './icon.tsx'
import { Icon } from './icon.tsx'

/** How much a button wants to be pressed; `danger`: it takes something away. */
export type ButtonKind = 'plain' | 'main' | 'danger' | 'quiet'

/** What a button takes. */
export interface ButtonProps {
  readonly children: ComponentChildren
  readonly onClick?: (() => void) | undefined
  readonly kind?: ButtonKind
  readonly icon?: IconName | undefined
  /** Works: cannot be pressed, and says so. */
  readonly busy?: boolean
  readonly disabled?: boolean
  /** Says what it is, where the words beside it are not enough. */
  readonly label?: string | undefined
  readonly type?: 'button' | 'submit'
}

/** A button. While it is busy it keeps the focus. */
export function Button(props: ButtonProps) {
  const { busy = false, disabled = false, kind = 'plain', type = 'button' } = props
  return (
    <button
      type={type}
      class={`button ${kind}`}
      aria-label={props.label}
      aria-busy={busy}
      aria-disabled={busy || disabled}
      onClick={(event) => {
        if (busy || disabled) event.preventDefault()
        else props.onClick?.()
      }}
    >
      {props.icon !== undefined && <Icon name={props.icon} />}
      {props.children}
    </button>
  )
}

/** A link that looks like a button. */
export function LinkButton(props: {
  readonly href: string
  readonly children: ComponentChildren
  readonly kind?: ButtonKind
  readonly icon?: IconName
}) {
  return (
    <a class={`button ${props.kind ?? 'plain'}`} href={props.href}>
      {props.icon !== undefined && <Icon name={props.icon} />}
      {props.children}
    </a>
  )
}
