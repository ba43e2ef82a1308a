/** What of a file can be shown on the page: small texts, and pictures that a browser draws. Pure. */

/** A preview reads at most so much, bytes. */
export const previewBytesMax = 1024 * 1024

/** How content is shown; by what it is, never by its name: names lie. */
export type Preview =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly type: string }
  | { readonly kind: 'none'; readonly why: string }

const IMAGES: readonly { readonly type: string; readonly begins: readonly (number | undefined)[] }[] = [
  { type: 'image/png', begins: [0x89, 0x50, 0x4e, 0x47] },
  { type: 'image/jpeg', begins: [0xff, 0xd8, 0xff] },
  { type: 'image/gif', begins: [0x47, 0x49, 0x46, 0x38] },
  { type: 'image/bmp', begins: [0x42, 0x4d, undefined, undefined, undefined, undefined, 0, 0, 0, 0] },
  {
    type: 'image/webp',
    begins: [0x52, 0x49, 0x46, 0x46, undefined, undefined, undefined, undefined, 0x57, 0x45, 0x42, 0x50],
  },
]

/** Says how bytes are shown. */
export function previewOf(bytes: Uint8Array): Preview {
  if (bytes.byteLength === 0) return { kind: 'none', why: 'The file is empty.' }
  const image = IMAGES.find(({ begins }) =>
    begins.every((byte, at) => byte === undefined || bytes[at] === byte),
  )
  if (image !== undefined) return { kind: 'image', type: image.type }
  if (bytes.includes(0)) return { kind: 'none', why: 'No text and no picture: download it to open it.' }
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    // Text of an older alphabet is not told from other bytes.
    return { kind: 'none', why: 'No text in UTF-8 and no picture: download it to open it.' }
  }
}
