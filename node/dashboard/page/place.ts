/** A place of the page, and its address. Pure. */

/** A place of the page. */
export interface Place {
  /** Names between slashes, decoded: `#/files/desktop` is `['files', 'desktop']`; empty at home. */
  readonly path: readonly string[]
  /** What stands behind `?`, decoded. */
  readonly query: Readonly<Record<string, string>>
}

/** Reads the part of an address from `#` on. */
export function parsePlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s)
  return {
    path: path
      .split('/')
      .filter((name) => name !== '')
      .map(decoded),
    query: Object.fromEntries(new URLSearchParams(query)),
  }
}

/** An address that somebody typed may be anything. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The address of a place, for `href`. */
export function hrefOf(
  path: readonly string[],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const behind = given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
  return `#/${path.map(encodeURIComponent).join('/')}${behind}`
}
