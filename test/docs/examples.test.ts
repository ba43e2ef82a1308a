/**
 * Every example of the documents, done by the real program in a small household, says what is shown. `EXAMPLES=a,b`
 * does those scenes only.
 */

import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { fencesOf } from '../tools/markdown.ts'
import { projectFiles } from '../tools/project.ts'
import { Play } from './play.ts'
import { closeScenes, openScene, SCENES } from './scenes.ts'
import { type Step, stepsOf } from './steps.ts'

const pages = projectFiles('.md').filter((path) => path.startsWith('docs/') || path === 'README.md')
const fences = pages.flatMap((path) => fencesOf(path))

/** What is to be done in each scene, in the order of the pages. */
const scenes = new Map<string, Step[]>()
for (const fence of fences) {
  const name = fence.attributes.get('example')
  if (name !== undefined) scenes.set(name, [...(scenes.get(name) ?? []), ...stepsOf(fence)])
}

/** What it takes to open a scene, as steps. */
const stepsToBegin = 8

const only = process.env['EXAMPLES']?.split(',')
const chosen = [...scenes].filter(([name]) => only?.includes(name) ?? true)

/** Does all of a scene. @throws {Error} naming the line */
async function play(name: string, steps: readonly Step[]): Promise<void> {
  const scene = SCENES[name]
  assert.ok(scene !== undefined, `${steps[0]?.at ?? ''}: test/docs/scenes.ts has no scene ${name}`)
  const { house, learned } = await openScene(scene)
  try {
    const played = new Play(house, learned)
    for (const step of steps) await played.step(step)
  } finally {
    await house[Symbol.asyncDispose]()
  }
}

describe('the examples of the documents', function () {
  this.timeout(300_000)
  /** By scene: why it went wrong, or nothing. As many at once as there are processors. */
  const results = new Map<string, Promise<unknown>>()

  before(() => {
    const workers = Array.from({ length: Math.min(3, availableParallelism()) }, () => ({
      steps: 0,
      last: Promise.resolve<unknown>(undefined),
    }))
    // The longest first, each to who has least to do.
    for (const [name, steps] of chosen.toSorted(([, one], [, other]) => other.length - one.length)) {
      const worker = workers.reduce((least, one) => (one.steps < least.steps ? one : least))
      worker.steps += steps.length + stepsToBegin
      worker.last = worker.last
        .then(() => play(name, steps))
        .then(
          () => undefined,
          (error: unknown) => error,
        )
      results.set(name, worker.last)
    }
  })
  after(closeScenes)

  for (const [name, steps] of chosen) {
    const where = [...new Set(steps.map(({ at }) => at.replace(/:\d+$/, '')))].join(', ')
    it(`${name}, in ${where}`, async () => {
      const error = await results.get(name)
      if (error !== undefined) throw error as Error
    })
  }

  it('are all of the commands in the documents, but those that say why they are not', () => {
    const left = fences.filter(
      ({ language, attributes }) =>
        ['sh', 'bash', 'shell', 'console', ''].includes(language) &&
        !attributes.has('example') &&
        (attributes.get('not-run') ?? '').length < 4,
    )
    assert.deepEqual(
      left.map(({ path, line }) => `${path}:${String(line)}`),
      [],
    )
  })

  it('leave no scene without an example', () => {
    assert.deepEqual([...scenes.keys()].sort(), Object.keys(SCENES).sort())
  })
})
