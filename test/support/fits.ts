/** Holds what a node says to the schema that it publishes (node/spec/control.md H7.1). */

import assert from 'node:assert/strict'
import { Compile, type Validator } from 'typebox/schema'
import type { MethodName } from '../../node/api.ts'
import { METHODS } from '../../node/methods.ts'

const validators = new Map<string, Validator>()

/** Fails when a result or an event of a method is not what its schema says, as it would cross: in JSON. */
export function assertFits(method: MethodName, part: 'event' | 'result', value: unknown): void {
  const key = `${method} ${part}`
  let validator = validators.get(key)
  if (validator === undefined) {
    validator = Compile(METHODS[method][part])
    validators.set(key, validator)
  }
  const crossed: unknown = JSON.parse(JSON.stringify(value))
  if (validator.Check(crossed)) return
  const [, faults] = validator.Errors(crossed)
  assert.fail(`the ${part} of ${method} is not what its schema says: ${JSON.stringify(faults.slice(0, 4))}`)
}
