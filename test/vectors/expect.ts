/** What it means that a vector of a fault is refused. */

import assert from 'node:assert/strict'
import { isCellarError } from '../../protocol/index.ts'
import { field, type Vector } from './format.ts'

/**
 * Asserts that `read` throws the code that the vector expects. The reason is compared too: otherwise another fault,
 * found earlier, would do, and the check that the vector is named for could be gone.
 */
export function assertRefuses(vector: Vector, read: () => unknown): void {
  assert.throws(read, (error: unknown) => {
    if (!isCellarError(error)) throw error
    assert.equal(error.code, field(vector, 'expect'))
    const reason = field(vector, 'reason')
    assert.ok(error.message.includes(reason), `"${error.message}" does not say "${reason}"`)
    return true
  })
}
