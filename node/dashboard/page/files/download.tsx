/** Downloading: a file as it was, a directory as a tar archive. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { isAborted, readPieces } from '../api.ts'
import { Button } from '../parts/button.tsx'
import { bytesText } from '../parts/format.ts'
import { say } from '../parts/toast.tsx'
import { pathText, type RawPath } from './paths.ts'
import { nameForFile } from './restore-plan.ts'

/** Pieces are gathered to this, bytes, before the browser takes them over and may put them on its disk. */
const gatheredMax = 8 * 1024 * 1024

/** Begins a download, says how much has come, and stops it when pressed again. */
export function DownloadButton(props: {
  readonly snapshot: string
  readonly path: RawPath
  readonly isDirectory: boolean
  readonly label?: string | undefined
}) {
  const [came, setCame] = useState<number | undefined>(undefined)
  const end = useRef<AbortController | undefined>(undefined)
  useEffect(() => () => end.current?.abort(), [])
  const begin = (): void => {
    const controller = new AbortController()
    end.current = controller
    setCame(0)
    download(props, setCame, controller.signal)
      .catch((error: unknown) => {
        if (!isAborted(error)) say((error as Error).message, 'bad')
      })
      .finally(() => setCame(undefined))
  }
  if (came !== undefined)
    return (
      <Button icon="close" onClick={() => end.current?.abort()}>
        Stop: {bytesText(came)}
      </Button>
    )
  return (
    <Button icon="down" label={props.label} onClick={begin}>
      {props.isDirectory ? 'Download as tar' : 'Download'}
    </Button>
  )
}

async function download(
  {
    snapshot,
    path,
    isDirectory,
  }: { readonly snapshot: string; readonly path: RawPath; readonly isDirectory: boolean },
  onCame: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let whole = new Blob([])
  let gathered: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  let [gatheredBytes, drawnMs] = [0, 0]
  const gather = (): void => {
    whole = new Blob([whole, ...gathered], { type: 'application/octet-stream' })
    gathered = []
    gatheredBytes = 0
  }
  const params = {
    snapshot,
    filter: { devices: [], paths: [], tags: [] },
    path: pathText(path),
    archive: 'tar' as const,
  }
  await readPieces(
    params,
    (piece) => {
      gathered.push(piece.slice())
      gatheredBytes += piece.byteLength
      bytes += piece.byteLength
      if (gatheredBytes >= gatheredMax) gather()
      if (performance.now() - drawnMs < 200) return
      drawnMs = performance.now()
      onCame(bytes)
    },
    { signal },
  )
  gather()
  const url = URL.createObjectURL(whole)
  const link = document.createElement('a')
  link.href = url
  link.download = nameForFile(path, isDirectory)
  link.click()
  // The browser has begun to read it by then.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
