/** A question that stands before everything else: the browser's own dialog, which keeps the focus and closes by Escape. */

import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { Button, type ButtonKind } from './button.tsx'

/** What a dialog takes. */
export interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
  /** Buttons below; without them there is one that closes. */
  readonly actions?: ComponentChildren
}

/** A dialog that is open for as long as it is drawn. */
export function Dialog({ title, onClose, children, actions }: DialogProps) {
  const at = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement
    at.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={at}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <h2 id={id}>{title}</h2>
      <div class="dialog-body">{children}</div>
      <div class="actions">{actions ?? <Button onClick={onClose}>Close</Button>}</div>
    </dialog>
  )
}

/** Asks before something is done that is not undone by a click. */
export function Confirm(props: {
  readonly title: string
  /** What the button says: the deed, not "OK". */
  readonly deed: string
  readonly kind?: ButtonKind
  readonly busy?: boolean
  readonly onConfirm: () => void
  readonly onClose: () => void
  readonly children: ComponentChildren
}) {
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind={props.kind ?? 'main'} busy={props.busy ?? false} onClick={props.onConfirm}>
            {props.deed}
          </Button>
        </>
      }
    >
      {props.children}
    </Dialog>
  )
}
