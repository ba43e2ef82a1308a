/**
 * How the table of methods is written (README.md "A new method"): schemas of what travels, from which come the types,
 * the check of parameters and the published description. Schemas are values and load their library; whoever needs only
 * a type imports it with `import type`.
 */

import type { Static, TSchema } from 'typebox'
import { Type } from 'typebox'

/** What a schema describes, read-only through and through. */
export type Of<S extends TSchema> = Frozen<Static<S>>

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T

/** One method: what it is given, what it tells on the way, what it answers. */
export interface MethodSchema<
  Params extends TSchema = TSchema,
  Event extends TSchema = TSchema,
  Result extends TSchema = TSchema,
> {
  /** What it does, and which errors are its own. */
  readonly about: string
  readonly params: Params
  readonly event: Event
  readonly result: Result
}

/** No parameters; nothing told. */
export const Nothing = Type.Object({}, { title: 'Nothing', description: 'No parameters.' })
/** No parameters. */
export type Nothing = Readonly<Record<string, never>>

const NEVER = Type.Never()

/** Declares a method that tells nothing on the way. */
export function method<P extends TSchema, R extends TSchema>(
  about: string,
  params: P,
  result: R,
): MethodSchema<P, typeof NEVER, R> {
  return { about, params, event: NEVER, result }
}

/** Declares a method that tells how it goes on. */
export function tellingMethod<P extends TSchema, E extends TSchema, R extends TSchema>(
  about: string,
  params: P,
  event: E,
  result: R,
): MethodSchema<P, E, R> {
  return { about, params, event, result }
}

/** The same schema with words for the place where it stands; `published.ts` puts them beside its name. */
export function about<S extends TSchema>(schema: S, words: string): S {
  return { ...schema, about: words }
}
