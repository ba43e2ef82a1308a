/** A look into a file: text, or a picture, of at most 1 MiB. */

import { useEffect, useState } from 'preact/hooks'
import { isAborted, readBytes } from '../api.ts'
import { bytesText } from '../parts/format.ts'
import { Empty, Failed, Section } from '../parts/screen.tsx'
import { pathText, shown, nameOf, type RawPath } from './paths.ts'
import { previewBytesMax, previewOf } from './preview-kind.ts'

interface Seen {
  readonly key: string
  readonly bytes?: Uint8Array<ArrayBuffer>
  readonly error?: Error
}

/** The section; it reads the file when it is drawn. @param size - of the file, bytes */
export function PreviewSection({
  snapshot,
  path,
  size,
}: {
  readonly snapshot: string
  readonly path: RawPath
  readonly size: number
}) {
  const isSmall = size <= previewBytesMax
  const key = JSON.stringify([snapshot, path])
  const [seen, setSeen] = useState<Seen>({ key })
  useEffect(() => {
    if (!isSmall) return
    const end = new AbortController()
    const filter = { devices: [], paths: [], tags: [] }
    readBytes({ snapshot, filter, path: pathText(path), archive: 'tar' }, previewBytesMax, {
      signal: end.signal,
    }).then(
      ({ bytes }) => setSeen({ key, bytes }),
      (error: unknown) => {
        if (!isAborted(error)) setSeen({ key, error: error as Error })
      },
    )
    return () => end.abort()
  }, [key, isSmall])
  const now = seen.key === key ? seen : { key }
  return (
    <Section title="Preview">
      {!isSmall && <Empty>Larger than {bytesText(previewBytesMax)}: download it to open it.</Empty>}
      {now.error !== undefined && <Failed error={now.error} />}
      {isSmall && now.error === undefined && now.bytes === undefined && <p class="hint">Reading…</p>}
      {now.bytes !== undefined && <Shown bytes={now.bytes} name={shown(nameOf(path))} />}
    </Section>
  )
}

function Shown({ bytes, name }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly name: string }) {
  const preview = previewOf(bytes)
  if (preview.kind === 'none') return <Empty>{preview.why}</Empty>
  if (preview.kind === 'image') return <Picture bytes={bytes} type={preview.type} name={name} />
  return (
    <pre class="preview" tabIndex={0} aria-label={`Text of ${name}`}>
      {preview.text}
    </pre>
  )
}

function Picture({
  bytes,
  type,
  name,
}: {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  readonly name: string
}) {
  const [url, setUrl] = useState<string | undefined>(undefined)
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [bytes, type])
  return url === undefined ? null : <img class="preview" src={url} alt={name} />
}
