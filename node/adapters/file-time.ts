/** The clock that the system stamps files with; a given one would have nothing to do with it. */

/** A change in the same tick of the file system's clock would leave no trace: files this young are waited for. */
const YOUNG_MS = 25

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Waits a moment if a file changed just now, so that a later change must show in its ctime.
 *
 * @param ctimeMs - milliseconds since 1970
 */
export function waitWhileYoung(ctimeMs: number): void {
  const age = Date.now() - ctimeMs
  if (age >= 0 && age < YOUNG_MS) Atomics.wait(sleeper, 0, 0, YOUNG_MS - age)
}
