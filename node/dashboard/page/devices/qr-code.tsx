/** A text for a camera. */

import encodeQR from 'qr'
import { squaresPath } from './squares.ts'

/** Drawn here, by a path: nothing of it leaves the page. Dark on light in either theme, as scanners want it. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const squares = encodeQR(text, 'raw', { ecc: 'medium', border: 4 })
  const size = String(squares.length)
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <rect class="qr-light" width={size} height={size} />
      <path class="qr-dark" d={squaresPath(squares)} />
    </svg>
  )
}
