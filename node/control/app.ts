/**
 * What is served where (spec/control.md §2, §5): the same API on the Unix socket and at the dashboard's address, where
 * a guard stands before it. Loaded with the first request: a command that serves its socket for a moment needs none.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import { parse } from 'hono/utils/cookie'
import { CellarError } from '../../protocol/errors.ts'
import type { Admission } from './admission.ts'
import { type Calls, fail, unknownMethod } from './calls.ts'
import { type Asked, refusal, safeHeaders } from './guard.ts'
import { sessionMs } from './limits.ts'
import { DOOR_PAGE, UNBUILT_PAGE, WELCOME_PAGE } from './page.ts'
import { PAGE_FILES, pageFile } from './pages.ts'
import { publishedSchema } from './published.ts'

/** Answers one request; resolves when it is answered, never rejects. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What stands before the API at the dashboard's address. */
export interface DashboardDoor {
  readonly admission: Admission
  /** Of `ownHosts`. */
  readonly hosts: ReadonlySet<string>
  readonly port: number
}

type App = Hono<{ Bindings: HttpBindings }>
type Asking = Context<{ Bindings: HttpBindings }>

/** The API as the owner's programs see it, on the socket. */
export function socketListener(calls: Calls): Listener {
  const app: App = new Hono()
  api(app, calls)
  return listenerOf(app)
}

/** The API and pages as a browser sees them. */
export function dashboardListener(calls: Calls, door: DashboardDoor): Listener {
  const app: App = new Hono()
  // Cookies do not tell ports apart: each node of a machine has a name of its own for its.
  const cookie = `cellar_${door.port}`
  const isIn = ({ headers }: IncomingMessage): boolean =>
    door.admission.isIn(headers.authorization, parse(headers.cookie ?? '', cookie)[cookie])
  app.get('/', (c) => {
    if (!isIn(c.env.incoming)) return c.html(DOOR_PAGE, 401)
    return sendFile(c, 'index.html') ?? c.html(UNBUILT_PAGE, 500)
  })
  for (const name of PAGE_FILES) app.get(`/${name}`, (c) => sendFile(c, name) ?? c.notFound())
  app.get('/open', (c) => {
    const session = door.admission.redeem(c.req.query('ticket') ?? '')
    if (session === undefined) return c.html(DOOR_PAGE, 401)
    setCookie(c, cookie, session, {
      path: '/',
      httpOnly: true,
      sameSite: 'Strict',
      maxAge: sessionMs / 1000,
    })
    return c.html(WELCOME_PAGE)
  })
  app.use('/v1/*', async (c, next) => {
    if (isIn(c.env.incoming)) await next()
    else fail(c.env.outgoing, new CellarError('TOKEN_WRONG', 'the token is missing, wrong or too old'))
    return c.finalized ? undefined : RESPONSE_ALREADY_SENT
  })
  api(app, calls)
  const listener = listenerOf(app)
  return async (request, response) => {
    for (const [name, value] of Object.entries(safeHeaders)) response.setHeader(name, value)
    const refused = refusal(askedOf(request), door.hosts)
    if (refused === undefined) await listener(request, response)
    else fail(response, refused)
  }
}

function askedOf({ headers, method, url }: IncomingMessage): Asked {
  const site = headers['sec-fetch-site']
  // A link may be followed from anywhere: its ticket says who was meant.
  const isLink = method === 'GET' && url?.startsWith('/open?') === true
  return {
    host: headers.host,
    origin: headers.origin,
    site: isLink || typeof site !== 'string' ? undefined : site,
  }
}

/** A file of the page; the same for everybody, since it holds nothing of anybody. */
function sendFile(c: Asking, name: string): Response | undefined {
  const file = pageFile(name)
  return file === undefined ? undefined : c.body(file.bytes, 200, { 'content-type': file.type })
}

function api(app: App, calls: Calls): void {
  app.get('/v1/schema', (c) => c.json(publishedSchema()))
  app.post('/v1/:method', async (c) => {
    await calls.answer(c.env.incoming, c.env.outgoing, c.req.param('method'))
    return RESPONSE_ALREADY_SENT
  })
}

function listenerOf(app: App): Listener {
  app.notFound((c) => failed(c, unknownMethod(`${c.req.method} ${c.req.path}`), 404))
  app.onError((error, c) => failed(c, error))
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    // What is global belongs to the program, not to a library.
    overrideGlobalObjects: false,
  })
  return listener
}

/** Answers with an error in the way of the API. */
function failed(c: Asking, error: unknown, status?: number): Response {
  fail(c.env.outgoing, error, status)
  return RESPONSE_ALREADY_SENT
}
