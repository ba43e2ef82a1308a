/** What telling is given of the outside: web, mail, programs and files, so that it can be tried without them. */

/** A request to an address of the web. */
export interface WebRequest {
  /** http or https; may hold secrets. */
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** How a request was answered. */
export interface WebAnswer {
  readonly status: number
  /** Seconds after which one may ask again, where the answer says so. */
  readonly retryAfterSeconds: number | undefined
}

/** A program to run. */
export interface ProgramCall {
  readonly command: readonly string[]
  /** In addition to that of this process. */
  readonly env: Readonly<Record<string, string>>
  /** What it reads. */
  readonly input: string
}

/** How a program ended. */
export interface ProgramEnd {
  /** Exit status; undefined when a signal ended it. */
  readonly status: number | undefined
  readonly signal: string | undefined
  /** What it wrote to its output, the first few thousand characters. */
  readonly output: string
  /** The last line that it wrote to its error output. */
  readonly complaint: string
}

/** A letter. */
export interface Letter {
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
}

/** Through whom letters go. */
export interface Post {
  /** `smtp://` or `smtps://`, with user and port where they are needed. */
  readonly smtp: string
  /** Undefined: nobody is asked who sends. */
  readonly password: string | undefined
}

/** How a letter was taken. */
export interface PostAnswer {
  /** What the server said in the end. */
  readonly answer: string
}

/** The outside. Everything ends soon after its signal is given, by rejecting. */
export interface Outside {
  /**
   * Asks; no redirection is followed.
   *
   * @throws {CellarError} `HOOK_FAILED`; never names more of the address than the host
   */
  ask(request: WebRequest, signal: AbortSignal): Promise<WebAnswer>
  /** Runs a program to its end. @throws {CellarError} `HOOK_FAILED` when it cannot be started */
  run(call: ProgramCall, signal: AbortSignal): Promise<ProgramEnd>
  /** Hands a letter over. @throws {CellarError} `HOOK_FAILED`, with `permanent` in its context where trying again is of no use */
  post(letter: Letter, post: Post, signal: AbortSignal): Promise<PostAnswer>
  /** Reads a small text file. @throws {CellarError} `HOOK_FAILED` */
  read(path: string): string
  /**
   * Writes a file that others read, in one step: whoever reads sees the old one or the new one, whole. It keeps the
   * mode of the file that it replaces.
   *
   * @param mode - of a file that is not there yet
   * @throws {CellarError} `HOOK_FAILED`
   */
  write(path: string, text: string, mode: number): void
  /**
   * Answers `GET /metrics`.
   *
   * @param listen - `HOST:PORT`; port 0 takes a free one
   * @param text - called for each request
   * @returns where it listens, and how to end it
   * @throws {CellarError} `CONFIG_INVALID` when it cannot listen there
   */
  serve(listen: string, text: () => Promise<string>): Promise<Served>
}

/** An endpoint that listens. */
export interface Served {
  /** `HOST:PORT` */
  readonly address: string
  /** Takes no more calls. Idempotent. */
  close(): Promise<void>
}
