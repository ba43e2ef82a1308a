/** Holds the parameters of a call to the schema of its method, and says what is wrong (spec/control.md §3). */

import { Compile, type Validator } from 'typebox/schema'
import { CellarError } from '../../protocol/errors.ts'
import type { MethodName } from '../api.ts'
import { METHODS } from '../methods.ts'
import { closed } from './closed.ts'
import { faultSentence } from './fault.ts'

const validators = new Map<MethodName, Validator>()

/** Says whether a text names a method. */
export function isMethodName(text: string): text is MethodName {
  return Object.hasOwn(METHODS, text)
}

/**
 * Checks parameters as they came.
 *
 * @throws {CellarError} `USAGE`, naming the first parameter that is wrong; never what it holds, which may be a secret
 */
export function checkParams(method: MethodName, value: unknown): void {
  const validator = validatorOf(method)
  if (validator.Check(value)) return
  const [, errors] = validator.Errors(value)
  const { parameter, sentence } = faultSentence(errors, METHODS[method].params)
  throw new CellarError('USAGE', `the parameters of ${method} do not fit: ${sentence}`, { method, parameter })
}

function validatorOf(method: MethodName): Validator {
  let validator = validators.get(method)
  if (validator === undefined) {
    validator = Compile(closed(METHODS[method].params))
    validators.set(method, validator)
  }
  return validator
}
