/** Explores a formal model in full: generates a checker with rumur or SPIN, compiles it with gcc, runs it. */

import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectRoot } from '../tools/project.ts'

const execute = promisify(execFile)

/** A model of this directory. */
export type ModelFile = 'deletion.m' | 'chains.m' | 'shed.m' | 'shed.pml'

/** Constants of a model, by name; those that are not named keep the value that the file has. */
export type Settings = Readonly<Record<string, number | boolean>>

/** What is explored, and how. */
export interface Exploration {
  readonly model: ModelFile
  readonly settings: Settings
  /** A state that has to stay within reach from every state, in the language of the model. */
  readonly alwaysReachable?: string
  /** Too long for every day: only in the long form. */
  readonly isLong?: true
}

/** What came out. */
export interface Explored {
  /** Different states; of a broken model those seen until then. */
  readonly states: number
  readonly seconds: number
  /** What did not hold, as the model words it; undefined when all states were seen and everything held. */
  readonly broken: string | undefined
  /** The steps that led there, one a line; the shortest there are with rumur, any with SPIN. */
  readonly trace: readonly string[]
}

/** Neither explored in full nor broken: no answer. */
export class NotExplored extends Error {}

const memoryKiBMax = 8 * 1024 * 1024
const outputBytesMax = 64 * 1024 * 1024

/** What to install for each program that is not here. */
const PACKAGES = { rumur: 'rumur', spin: 'spin', gcc: 'gcc libc6-dev' } as const

/** Says which programs are missing and how to get them; undefined when all are here. */
export async function missingTools(): Promise<string | undefined> {
  const tried = await Promise.all(
    Object.entries(PACKAGES).map(async ([program, packages]) => {
      const isHere = await execute(program, [program === 'spin' ? '-V' : '--version']).then(
        () => true,
        () => false,
      )
      return isHere ? [] : [{ program, packages }]
    }),
  )
  const missing = tried.flat()
  if (missing.length === 0) return undefined
  const names = missing.map(({ program }) => program).join(', ')
  const packages = missing.map((it) => it.packages).join(' ')
  return `the formal model needs ${names}: apt-get install ${packages} (Debian and Ubuntu have them)`
}

/** Explores one model. Nothing stays behind. */
export async function explore(exploration: Exploration, signal?: AbortSignal): Promise<Explored> {
  const directory = await mkdtemp(join(tmpdir(), 'cellar-model-'))
  try {
    const run = exploration.model.endsWith('.pml') ? exploreWithSpin : exploreWithRumur
    return await run(exploration, directory, signal)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function exploreWithRumur(
  { model, settings, alwaysReachable, isLong }: Exploration,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<Explored> {
  let text = withSettings(await readFile(modelPath(model), 'utf8'), settings)
  if (alwaysReachable !== undefined) {
    // What is reachable from everywhere is reachable: covers say nothing beside it.
    text = `${text.replace(/^cover [^;]*;/gm, '')}\nliveness "L1: it can be reclaimed" ${alwaysReachable};\n`
  }
  const at = (name: string): string => join(directory, name)
  await writeFile(at('model.m'), text)
  // A mesh in which nothing happens any more is no mistake: no deadlocks are looked for.
  const flags = ['--deadlock-detection', 'off', '--symmetry-reduction', 'exhaustive', '--threads', '1']
  await execute('rumur', [...flags, '--output', at('model.c'), at('model.m')])
  // The generated code compares 16 bytes at once; on x86 that has to be asked for.
  const machine = process.arch === 'x64' ? ['-mcx16'] : []
  // Where little is explored, optimizing takes far longer than exploring.
  const optimized = isLong === true ? ['-O3', '-march=native'] : ['-O1']
  await execute('gcc', [...optimized, ...machine, '-o', at('checker'), at('model.c'), '-lpthread'])
  const { output, seconds } = await runBounded(at('checker'), [], { signal, isLong })
  return { ...readRumur(output), seconds }
}

async function exploreWithSpin(
  { model, settings, isLong }: Exploration,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<Explored> {
  await copyFile(modelPath(model), join(directory, model))
  const defines = Object.entries(settings).flatMap(([name, value]) =>
    value === false ? [] : [value === true ? `-D${name}` : `-D${name}=${String(value)}`],
  )
  const inside = { cwd: directory, maxBuffer: outputBytesMax }
  await execute('spin', [...defines, '-a', model], inside)
  // -w: gcc finds fault with code that spin wrote.
  await execute('gcc', ['-w', '-O2', '-DSAFETY', '-DCOLLAPSE', '-o', 'checker', 'pan.c'], inside)
  const { output, seconds } = await runBounded('./checker', ['-m1000000', '-w24'], {
    signal,
    cwd: directory,
    isLong,
  })
  const states = Number(/(\d+) states, stored/.exec(output)?.[1] ?? NaN)
  const errors = Number(/errors: (\d+)/.exec(output)?.[1] ?? NaN)
  if (Number.isNaN(states) || Number.isNaN(errors) || output.includes('max search depth too small'))
    throw new NotExplored(output.slice(-2000))
  if (errors === 0) return { states, seconds, broken: undefined, trace: [] }
  const { stdout } = await execute('spin', [...defines, '-t', '-T', model], inside)
  const trace = stdout.split('\n').flatMap((line) => (line.startsWith('holder') ? [line.trim()] : []))
  return { states, seconds, broken: /assertion violated (.*?) \(at/.exec(output)?.[1] ?? 'something', trace }
}

/** Where a model is: beside the sources, also for compiled tests. */
function modelPath(model: ModelFile): string {
  return join(projectRoot, 'test', 'model', model)
}

function withSettings(text: string, settings: Settings): string {
  return Object.entries(settings).reduce((changed, [name, value]) => {
    const constant = new RegExp(`^(  ${name}: )[^;]*;`, 'm')
    if (!constant.test(changed)) throw new TypeError(`the model has no constant ${name}`)
    return changed.replace(constant, `$1${String(value)};`)
  }, text)
}

/** Runs a checker with a bound on its memory; a long one behind whatever else the machine does. */
async function runBounded(
  program: string,
  args: readonly string[],
  { signal, cwd, isLong }: { signal: AbortSignal | undefined; cwd?: string; isLong: true | undefined },
): Promise<{ output: string; seconds: number }> {
  const started = performance.now()
  const line = `ulimit -v ${String(memoryKiBMax)}; exec ${isLong === true ? 'nice -n 10 ' : ''}"$0" "$@"`
  const options = { maxBuffer: outputBytesMax, ...(signal && { signal }), ...(cwd !== undefined && { cwd }) }
  const output = await execute('sh', ['-c', line, program, ...args], options).then(
    ({ stdout }) => stdout,
    // A checker that finds something exits with a status of its own.
    (error: unknown) => {
      if (!(error instanceof Error && 'stdout' in error) || signal?.aborted === true) throw error
      if ('signal' in error && typeof error.signal === 'string')
        throw new NotExplored(`ended by ${error.signal}`)
      return String(error.stdout)
    },
  )
  return { output, seconds: (performance.now() - started) / 1000 }
}

function readRumur(output: string): Omit<Explored, 'seconds'> {
  const states = Number(/(\d+) states, \d+ rules fired/.exec(output)?.[1] ?? NaN)
  if (Number.isNaN(states)) throw new NotExplored(output.slice(-2000))
  if (output.includes('No error found')) return { states, broken: undefined, trace: [] }
  const named = [
    ...output.matchAll(/(?:invariant|liveness property|cover) "[^"]*" (?:failed|violated|not hit)/g),
  ]
  const broken = [...new Set(named.map(([words]) => words))].join('; ') || output.slice(-500)
  // Of liveness the checker shows every state that is lost, not only the first.
  const isLiveness = broken.includes('liveness')
  const steps = isLiveness ? [] : [...output.matchAll(/^Rule "(.*)"(.*) fired\.$/gm)]
  return { states, broken, trace: steps.map((match) => sayStep(match[1]!, match[2]!)) }
}

const DEVICES = ['laptop', 'desktop', 'nas', 'attic', 'phone']

/** One step as a sentence: who, does what, to whom. */
function sayStep(rule: string, parameters: string): string {
  const of = new Map([...parameters.matchAll(/(\w+): (\w+)/g)].map(([, name, value]) => [name!, value!]))
  const device = (value: string): string => DEVICES[Number(value)] ?? value.toLowerCase().replace('_', ' ')
  const rest = [...of].flatMap(([name, value]) => {
    if (name === 'r') return [`root ${value}`]
    if (name === 's')
      return rule.includes('read') ? [`listing ${value}`] : value === '0' ? [] : [`session ${value}`]
    return name === 'b' ? [`on branch ${value}`] : []
  })
  const [first, second] = ['q', 'w', 'h', 'd'].flatMap((name) => of.get(name) ?? [])
  if (first === undefined) return [rule === 'forgets' ? 'desktop forgets' : rule, ...rest].join(' ')
  return [device(first), rule, ...(second === undefined ? [] : [device(second)]), ...rest].join(' ')
}
