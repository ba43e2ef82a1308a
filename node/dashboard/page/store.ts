/** A value that several parts of the page look at, and are drawn anew when it changes. */

import { useEffect, useState } from 'preact/hooks'

/** One value and those who look at it. */
export class Store<T> {
  #value: T
  readonly #listeners = new Set<(value: T) => void>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of [...this.#listeners]) listener(value)
  }

  /** Calls back for each change. @returns ends it */
  on(listener: (value: T) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }
}

/** The value of a store; the component is drawn again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value)
  useEffect(() => {
    // It may have changed between the first drawing and now.
    setValue(() => store.value)
    return store.on((next) => {
      setValue(() => next)
    })
  }, [store])
  return value
}
