/** How a path travels (see `path-text.ts`, which makes and reads it). */

import { Type } from 'typebox'
import type { Of } from './api-schema.ts'

export const PathText = Type.Union(
  [
    Type.String(),
    Type.Object({
      b64: Type.String({ description: 'Base64 of the bytes.', pattern: '^[A-Za-z0-9+/]*={0,2}$' }),
    }),
  ],
  {
    title: 'PathText',
    description: 'A path, or a pattern for paths: text where its bytes are UTF-8, else base64 of the bytes.',
  },
)
/** A path, or a pattern for paths: text where its bytes are UTF-8, else base64 of the bytes. */
export type PathText = Of<typeof PathText>

export const PathFields = Type.Object(
  {
    path: Type.String({ description: 'Readable.' }),
    path_b64: Type.Optional(Type.String({ description: 'The true bytes, where the text is not exact.' })),
  },
  { title: 'PathFields', description: 'A path in a message.' },
)
/** A path in a message: a readable text, and the true bytes beside it where the text is not exact. */
export type PathFields = Of<typeof PathFields>
