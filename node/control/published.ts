/** The table of methods as others read it: one OpenAPI document (spec/control.md §7). Pure, made once. */

import { METHODS } from '../methods.ts'
import { VERSION } from '../version.ts'
import { closed } from './closed.ts'
import { ErrorRecordSchema } from './error-schema.ts'

type Json = Readonly<Record<string, unknown>>

let made: Json | undefined

/** The document; do not change it. */
export function publishedSchema(): Json {
  return (made ??= make())
}

function make(): Json {
  const schemas: Record<string, unknown> = {}
  const publish = (schema: unknown): unknown => reference(schema, schemas)
  const paths: Record<string, unknown> = {}
  for (const [name, { about, params, event, result }] of Object.entries(METHODS)) {
    const line = (key: string, schema: unknown): Json => ({
      type: 'object',
      required: [key],
      properties: { [key]: schema },
    })
    const isSilent = 'not' in event
    const lines = [
      ...(isSilent ? [] : [line('event', publish(event))]),
      line('bytes', { type: 'integer', minimum: 0, description: 'So many raw bytes follow this line.' }),
      line('result', publish(result)),
      line('error', publish(ErrorRecordSchema)),
    ]
    paths[`/v1/${name}`] = {
      post: {
        operationId: name,
        description: about,
        requestBody: { required: true, content: { 'application/json': { schema: publish(closed(params)) } } },
        responses: {
          200: {
            description: 'Lines of JSON, each one of these; the last is a result or an error.',
            content: { 'application/x-ndjson': { schema: { oneOf: lines } } },
          },
          default: {
            description: 'The call was refused before it began.',
            content: { 'application/x-ndjson': { schema: line('error', publish(ErrorRecordSchema)) } },
          },
        },
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Rootcellar control API', version: VERSION, license: { name: 'Apache-2.0 OR MIT' } },
    servers: [{ url: 'http://127.0.0.1:4518' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([one], [other]) => (one < other ? -1 : 1))),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  }
}

/** The schema as plain JSON; what has a title goes to the named ones, and is referred to. */
function reference(schema: unknown, named: Record<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => reference(item, named))
  if (typeof schema !== 'object' || schema === null) return schema
  const { title, ...rest } = schema as Json
  if (typeof title !== 'string') return entries(rest, named)
  if (!Object.hasOwn(named, title)) {
    named[title] = undefined // its place is taken, while it is made
    named[title] = entries(rest, named)
  }
  return { $ref: `#/components/schemas/${title}` }
}

function entries(schema: Json, named: Record<string, unknown>): Json {
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === 'properties'
        ? Object.fromEntries(
            Object.entries(value as Json).map(([name, one]) => [name, reference(one, named)]),
          )
        : reference(value, named),
    ]),
  )
}
