/** What a browser is shown where the page itself cannot be: words and no program. */

/** For somebody who was let in to a program whose page was never put together. */
export const UNBUILT_PAGE = page(
  'Rootcellar: no page',
  '<p>The page of this program was not built: <code>npm run build</code>. Its API is at <code>/v1/METHOD</code>, ' +
    'described at <a href="/v1/schema">/v1/schema</a>.</p>',
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
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">${head}<title>${title}</title>` +
    `<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/style.css"></head>` +
    `<body><main class="door"><h1>${title}</h1>${body}</main></body></html>\n`
  )
}
