/** A sentence of the node in which `backticks` mark what is typed. */

/** The sentence, with that as code. */
export function Prose({ text }: { readonly text: string }) {
  return <>{text.split('`').map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}</>
}
