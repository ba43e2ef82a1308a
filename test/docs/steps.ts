/**
 * Reads in documents what is to be done. Pure.
 *
 * A block of shell with `example=SCENE` is done on the machines of that scene. A line `NAME$ command` is typed on that
 * machine; the lines below it are what it says, up to the next such line. A block without prompts has only commands,
 * typed on the machine that `on=NAME` names. A block of TOML with `example=SCENE on=NAME` is written as the settings of
 * that machine. One that cannot be done here says why: `not-run="…"`.
 */

import type { Fence } from '../tools/markdown.ts'

/** One thing to do. */
export interface Step {
  /** `page.md:12`, for messages. */
  readonly at: string
  readonly machine: string
  readonly kind: 'command' | 'settings'
  /** The line of the shell, or the text of the settings. */
  readonly text: string
  /** What it is shown to say; empty: nothing is compared. */
  readonly shown: readonly string[]
  /** Last of its block: commands left running must have ended with it. */
  readonly isLast: boolean
}

const PROMPT = /^([a-z][a-z0-9-]*)\$ (.+)$/

/** What a block of a scene says is to be done, in order. */
export function stepsOf(fence: Fence): Step[] {
  const machine = fence.attributes.get('on')
  const at = (n: number): string => `${fence.path}:${String(fence.line + 1 + n)}`
  if (fence.language === 'toml') {
    if (machine === undefined) throw new Error(`${at(-1)}: on which machine? on=NAME`)
    return [{ at: at(0), machine, kind: 'settings', text: fence.lines.join('\n'), shown: [], isLast: true }]
  }
  const isPrompted = fence.lines.some((line) => PROMPT.test(line))
  const steps = isPrompted ? prompted(fence, at) : plain(fence, at, machine)
  return steps.map((step, n) => ({ ...step, isLast: n === steps.length - 1 }))
}

type OpenStep = Step & { readonly shown: string[] }

function prompted({ lines }: Fence, at: (n: number) => string): OpenStep[] {
  const steps: OpenStep[] = []
  let isContinued = false
  for (const [n, line] of lines.entries()) {
    const last = steps.at(-1)
    const [, machine, command] = PROMPT.exec(line) ?? []
    if (machine !== undefined && command !== undefined)
      steps.push({ at: at(n), machine, kind: 'command', text: command, shown: [], isLast: false })
    else if (last === undefined) throw new Error(`${at(n)}: before the first prompt`)
    else if (isContinued) steps[steps.length - 1] = { ...last, text: `${last.text}\n${line}` }
    else last.shown.push(line)
    isContinued = /[\\|]$/.test(line) && (command !== undefined || isContinued)
  }
  return steps.map((step) => (step.shown.every((line) => line.trim() === '') ? { ...step, shown: [] } : step))
}

function plain({ lines }: Fence, at: (n: number) => string, machine: string | undefined): OpenStep[] {
  if (machine === undefined) throw new Error(`${at(-1)}: a prompt on each command, or on=NAME`)
  return joined(lines).flatMap(({ text, n }) =>
    /^\s*(#.*)?$/.test(text)
      ? []
      : [{ at: at(n), machine, kind: 'command' as const, text, shown: [], isLast: false }],
  )
}

/** Lines of a block without prompts, continued ones as one. */
export function joined(lines: readonly string[]): { readonly text: string; readonly n: number }[] {
  const whole: { text: string; n: number }[] = []
  let isContinued = false
  for (const [n, line] of lines.entries()) {
    const last = whole.at(-1)
    if (isContinued && last !== undefined) last.text += `\n${line}`
    else whole.push({ text: line, n })
    isContinued = /[\\|]$/.test(line)
  }
  return whole
}

/** The commands of any block of shell, as they are typed. */
export function commandsIn(fence: Fence): readonly string[] {
  const isPrompted = fence.lines.some((line) => PROMPT.test(line))
  if (!isPrompted) return joined(fence.lines).map(({ text }) => text)
  return prompted(fence, () => fence.path).map(({ text }) => text)
}
