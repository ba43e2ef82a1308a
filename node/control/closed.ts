/** Schemas as callers are held to them: what is not named may not be there. Pure. */

type Json = Readonly<Record<string, unknown>>

/**
 * The same schema, whose objects allow no other properties than those they name: a parameter that is mistyped, or that
 * only a newer node knows, is told and not passed over. Answers stay open, so that an old program can read a new node.
 */
export function closed<S extends object>(schema: S): S {
  return close(schema) as S
}

function close(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(close)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema))
    copy[key] = key === 'properties' ? each(value as Json) : close(value)
  if (copy['type'] === 'object' && copy['properties'] !== undefined) copy['additionalProperties'] = false
  return copy
}

/** Properties are named by their owner: one that is called `type` is no type. */
function each(properties: Json): Json {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, close(schema)]))
}
