/** Looking for a name in all snapshots: hits come as they are found. */

import { useEffect, useRef, useState } from 'preact/hooks'
import type { EventOf, SearchResult } from '../../../api.ts'
import { isAborted, stream } from '../api.ts'
import { Button } from '../parts/button.tsx'
import { countText } from '../parts/format.ts'
import { More } from '../parts/more.tsx'
import { Badge, Failed, Screen } from '../parts/screen.tsx'
import { Ago } from '../parts/value.tsx'
import { VirtualList } from '../parts/virtual-list.tsx'
import { goTo, type Place } from '../router.ts'
import { EntryRow, rowHeight } from './entry-row.tsx'
import { parentOf, rawOfFields, shown } from './paths.ts'
import { placeHref } from './places.ts'
import { searchSentence, unsearchedText } from './words.ts'

type Hit = Extract<EventOf<'search'>, { message_type: 'hit' }>

const pageLimit = 200

/** The field; what is typed is looked for by Enter. @param below - looks there only */
export function SearchBox({
  text,
  below,
}: {
  readonly text: string
  readonly below?: Place['query'] | undefined
}) {
  const [typed, setTyped] = useState(text)
  return (
    <form
      class="search-box"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        if (typed.trim() !== '') goTo(['files', 'search'], { ...below, text: typed.trim() })
      }}
    >
      <label class="unseen" for="search-text">
        Name, or part of it
      </label>
      <input
        id="search-text"
        type="search"
        value={typed}
        placeholder="Name, or part of it: tax, *.jpg"
        autocomplete="off"
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <Button type="submit" kind="main" icon="search">
        Search
      </Button>
    </form>
  )
}

interface Found {
  readonly hits: readonly Hit[]
  readonly entries: number
  readonly unsearched: number
  readonly result?: SearchResult | undefined
  readonly error?: Error | undefined
}

const NOTHING: Found = { hits: [], entries: 0, unsearched: 0 }

/** The screen at `#/files/search`. */
export function SearchView({ place }: { readonly place: Place }) {
  const { text = '' } = place.query
  const { found, more, isAsking } = useSearch(text)
  const { hits, result, error, unsearched } = found
  const missing = unsearchedText(unsearched)
  return (
    <Screen
      title="Files"
      sentence={text === '' ? 'Type a name, or part of it.' : searchSentence(text, hits.length, result)}
      todo={missing}
    >
      <SearchBox key={text} text={text} />
      {error !== undefined && <Failed error={error} />}
      {isAsking && (
        <p class="hint" role="status">
          Looking: {countText(found.entries, 'entry', 'entries')} so far.
        </p>
      )}
      {hits.length > 0 && (
        <VirtualList
          label="What was found"
          rows={hits}
          keyOf={(hit) => `${hit.snapshot} ${hit.path_b64 ?? hit.path}`}
          rowHeight={rowHeight}
          onEnd={result?.next === undefined ? undefined : more}
          draw={(hit) => <HitRow hit={hit} />}
          after={<More list={{ hasMore: result?.next !== undefined, isAsking, more }} words="Look further" />}
        />
      )}
    </Screen>
  )
}

function HitRow({ hit }: { readonly hit: Hit }) {
  const path = rawOfFields(hit)
  return (
    <EntryRow
      entry={hit}
      href={placeHref(hit.type === 'dir' ? 'in' : 'file', hit.snapshot, path)}
      facts={
        <>
          {hit.is_gone && <Badge tone="warn">gone</Badge>}
          <span class="where">{shown(parentOf(path))}</span>
          <span>
            {hit.device_name}, <Ago time={hit.snapshot_time} />
          </span>
        </>
      }
    />
  )
}

/** Hits are shown a few times a second, however fast they come. */
const drawEveryMs = 150

function useSearch(text: string): {
  readonly found: Found
  readonly more: () => void
  readonly isAsking: boolean
} {
  const [found, setFound] = useState<Found>(NOTHING)
  const [isAsking, setAsking] = useState(false)
  const end = useRef<AbortController | undefined>(undefined)
  const look = (before: Found): void => {
    end.current?.abort()
    const controller = new AbortController()
    end.current = controller
    const { signal } = controller
    let now: Found = { ...before, result: undefined, error: undefined }
    let drawnMs = 0
    const draw = (): void => {
      if (!signal.aborted) setFound(now)
    }
    const after = before.result?.next
    const onEvent = (event: EventOf<'search'>): void => {
      if (event.message_type === 'hit') now = { ...now, hits: [...now.hits, event] }
      else if (event.message_type === 'notice') now = { ...now, unsearched: now.unsearched + 1 }
      else now = { ...now, entries: before.entries + event.entries }
      if (performance.now() - drawnMs < drawEveryMs) return
      drawnMs = performance.now()
      draw()
    }
    setFound(now)
    setAsking(true)
    const params = { text, limit: pageLimit, filter: { devices: [], paths: [], tags: [] } }
    stream('search', after === undefined ? params : { ...params, after }, onEvent, { signal })
      .then(
        (result) => {
          now = { ...now, result, entries: before.entries + result.entries }
        },
        (error: unknown) => {
          if (!isAborted(error)) now = { ...now, error: error as Error }
        },
      )
      .finally(() => {
        draw()
        if (!signal.aborted) setAsking(false)
      })
  }
  useEffect(() => {
    if (text === '') return
    look(NOTHING)
    return () => end.current?.abort()
  }, [text])
  const more = (): void => {
    if (!isAsking && found.result?.next !== undefined) look(found)
  }
  return { found, more, isAsking }
}
