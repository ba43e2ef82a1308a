/** Changes one setting: what it is, what it may be, and what the node says of what was typed. */

import { useId, useState } from 'preact/hooks'
import type { SettingInForce } from '../../../api.ts'
import { call, isAborted } from '../api.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { sentenceText } from '../parts/format.ts'
import { Prose } from '../parts/prose.tsx'
import { say } from '../parts/toast.tsx'
import { type Field, fieldOf, typedOf, valueOf } from './field.ts'
import { valueText } from './groups.ts'

/** The dialog. @param props.onDone - something was changed */
export function ChangeSetting(props: {
  readonly setting: SettingInForce
  readonly onClose: () => void
  readonly onDone: () => void
}) {
  const { setting, onClose, onDone } = props
  const field = fieldOf(setting)
  const [typed, setTyped] = useState(typedOf(setting.value ?? setting.default, field))
  const [wrong, setWrong] = useState('')
  const [isBusy, setBusy] = useState(false)
  const id = useId()
  const save = async (isSet: boolean): Promise<void> => {
    setBusy(true)
    setWrong('')
    try {
      const value = isSet ? valueOf(typed, field) : undefined
      const change = { path: [...setting.path], ...(value !== undefined && { value }) }
      const { written } = await call('configChange', { changes: [change] })
      say(written ? `${setting.key} is changed and in force.` : `${setting.key} was so already.`)
      onDone()
    } catch (error) {
      if (!isAborted(error)) setWrong(sentenceText(reasonIn((error as Error).message)))
    } finally {
      setBusy(false)
    }
  }
  const canUnset = setting.origin?.startsWith('line ') === true
  return (
    <Dialog
      title={setting.key}
      onClose={onClose}
      actions={
        <>
          {canUnset && (
            <Button kind="quiet" busy={isBusy} onClick={() => void save(false)}>
              Take it out of the file
            </Button>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="main" busy={isBusy} onClick={() => void save(true)}>
            Save
          </Button>
        </>
      }
    >
      <p>
        <Prose text={setting.about} />
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void save(true)
        }}
      >
        <label for={id} class="field-label">
          {LABELS[field.kind]}
        </label>
        <Input id={id} field={field} typed={typed} onType={setTyped} isWrong={wrong !== ''} />
        <p id={`${id}-hint`} class="hint">
          {setting.default !== undefined && `Without it: ${valueText(setting.default)}. `}
          Everything else in the file stays as it is.
        </p>
      </form>
      <p class="wrong" role="alert">
        {wrong}
      </p>
    </Dialog>
  )
}

/** Where it would have stood in the file says nothing to who has not written it. */
function reasonIn(message: string): string {
  return message.replace(/^.*, line \d+: /, '')
}

const LABELS: Readonly<Record<Field['kind'], string>> = {
  choice: 'Value',
  'yes-no': 'Value',
  number: 'Number',
  lines: 'One a line',
  text: 'Value',
}

function Input(props: {
  readonly id: string
  readonly field: Field
  readonly typed: string
  readonly isWrong: boolean
  readonly onType: (typed: string) => void
}) {
  const { id, field, typed, onType } = props
  const same = { id, 'aria-describedby': `${id}-hint`, 'aria-invalid': props.isWrong }
  if (field.kind === 'choice' || field.kind === 'yes-no') {
    const choices =
      field.kind === 'choice'
        ? field.choices.map((word) => [word, word])
        : [
            ['true', 'yes'],
            ['false', 'no'],
          ]
    return (
      <select {...same} value={typed} onChange={(event) => onType(event.currentTarget.value)}>
        {choices.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    )
  }
  if (field.kind === 'lines' || (field.kind === 'text' && field.isJson === true))
    return (
      <textarea
        {...same}
        rows={Math.min(12, Math.max(4, typed.split('\n').length + 1))}
        spellcheck={false}
        value={typed}
        onInput={(event) => onType(event.currentTarget.value)}
      />
    )
  return (
    <>
      <input
        {...same}
        type={field.kind === 'number' ? 'number' : 'text'}
        {...(field.kind === 'number' && { min: field.least, max: field.most, step: 'any' })}
        autocomplete="off"
        spellcheck={false}
        list={`${id}-choices`}
        value={typed}
        onInput={(event) => onType(event.currentTarget.value)}
      />
      {field.kind === 'text' && (
        <datalist id={`${id}-choices`}>
          {field.choices.map((word) => (
            <option key={word} value={word} />
          ))}
        </datalist>
      )}
    </>
  )
}
