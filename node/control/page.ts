/** What a browser is shown: words and no program. */

/** For somebody who was let in. */
export const HOME_PAGE = page(
  'Rootcellar',
  '<p>This is the node of this device. Its API is at <code>/v1/METHOD</code>, described at ' +
    '<a href="/v1/schema">/v1/schema</a>.</p><p>Pages to look at and click are not part of this version: ' +
    '<code>cellar status</code> and <code>cellar help</code> say all there is to say.</p>',
)

/** For anybody else. */
export const DOOR_PAGE = page(
  'Rootcellar: not signed in',
  '<p>Run <code>cellar dashboard</code> on this machine, and open the link that it prints. ' +
    'A link can be opened once, within two minutes.</p>',
)

/**
 * After a link was opened. The page goes on by itself rather than by a redirect: a browser that came here from another
 * site would not send a `SameSite=Strict` cookie along a redirect.
 */
export const WELCOME_PAGE = page(
  'Rootcellar: signed in',
  '<p><a href="/">Go on</a></p>',
  '<meta http-equiv="refresh" content="0; url=/">',
)

function page(title: string, body: string, head = ''): string {
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8">${head}<title>${title}</title></head>` +
    `<body><h1>${title}</h1>${body}</body></html>\n`
  )
}
