/** Holds the parameters of a call to the schema of its method, and says what is wrong (spec/control.md §3). */

import { Compile, type Validator } from 'typebox/schema'
import type { MethodName } from '../api.ts'
import { METHODS } from '../methods.ts'
import { closed } from './closed.ts'
import { faultSentence, type ParameterFault } from './fault.ts'

const validators = new Map<MethodName, Validator>()

/** Says whether a text names a method. */
export function isMethodName(text: string): text is MethodName {
  return Object.hasOwn(METHODS, text)
}

/**
 * Checks parameters as they came.
 *
 * @returns what is wrong with the first that does not fit, never what it holds, which may be a secret; undefined when
 *   all is well
 */
export function faultOf(method: MethodName, value: unknown): ParameterFault | undefined {
  const validator = validatorOf(method)
  if (validator.Check(value)) return undefined
  const [, errors] = validator.Errors(value)
  return faultSentence(errors, METHODS[method].params)
}

function validatorOf(method: MethodName): Validator {
  let validator = validators.get(method)
  if (validator === undefined) {
    validator = Compile(closed(METHODS[method].params))
    validators.set(method, validator)
  }
  return validator
}
