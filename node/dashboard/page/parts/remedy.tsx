/** What to do, as the node words it: commands in it are drawn as such. */

import { remedyParts } from './remedy-parts.ts'
import { sentenceText } from './format.ts'

/** A remedy as a sentence. */
export function Remedy({ text }: { readonly text: string }) {
  return (
    <>
      {remedyParts(sentenceText(text)).map((part, at) =>
        part.isCommand ? <code key={at}>{part.text}</code> : <span key={at}>{part.text}</span>,
      )}
    </>
  )
}
