/** Does what a document says, on machines of a sandbox, and compares what it shows. */

import { until } from '../tools/household.ts'
import type { Running, Sandbox } from './sandbox.ts'
import { type Learned, matchShown, meant } from './shown.ts'
import type { Step } from './steps.ts'

/** Commands that only look: what they show may take a moment to become so. */
const LOOKS =
  /^cellar (status|devices|snapshots|trash|prune --explain|recovery|restores|profile list|hook)( -\S+)*$/
/** Shows a code and waits for the other device. */
const WAITS = /^cellar invite (?!.*--token)/
const STARTS = /^(cellar (?:\S+ )*start) &( *#.*)?$/
/** What a command ends with, said behind it; else it ends with 0. */
const ENDS_WITH = /# exit (\d+)$/
/** An id or a code, as documents show it. */
const NAMED = /\b(?:[0-9a-f]{8}|\d{4}(?:-[a-z]+){4})\b/g

/** Does steps one after the other. */
export class Play {
  readonly #house: Sandbox
  #learned: Learned
  #waiting: { readonly at: string; readonly running: Running }[] = []

  /** @param learned - what documents may name that none of their commands shows */
  constructor(house: Sandbox, learned: Learned) {
    this.#house = house
    this.#learned = learned
  }

  /** @throws {Error} naming the line of the document, and what was printed in the place of what it shows */
  async step(step: Step): Promise<void> {
    if (step.kind === 'settings') {
      await this.#house.settings(step.machine, meant(step.text, this.#learned))
      return
    }
    const command = this.#meant(step)
    const starts = STARTS.exec(command)
    if (starts !== null) await this.#startNode(step, starts[1] ?? '')
    else if (WAITS.test(`${command} `)) await this.#wait(step, command)
    else await this.#run(step, command)
    if (step.isLast) await this.#end()
  }

  #meant(step: Step): string {
    for (const [named] of step.text.matchAll(NAMED))
      if (!this.#learned.has(named)) throw new Error(`${step.at}: nothing before it shows ${named}`)
    return meant(step.text, this.#learned)
  }

  async #startNode(step: Step, command: string): Promise<void> {
    const machine = this.#house.machine(step.machine)
    await machine.startNode(this.#house.placeFor(machine), `exec ${command}`)
  }

  async #wait(step: Step, command: string): Promise<void> {
    const running = this.#house.start(step.machine, command)
    this.#waiting.push({ at: step.at, running })
    await until(`${step.at}: ${step.shown.join('\n')}`, () => {
      const learned = matchShown(step.shown, running.text(), this.#learned, false)
      if (learned !== undefined) this.#learned = learned
      return learned
    }).catch((error: unknown) => {
      throw new Error(`${step.at}: said otherwise:\n${running.text()}`, { cause: error })
    })
  }

  async #run(step: Step, command: string): Promise<void> {
    let text = ''
    const status = Number(ENDS_WITH.exec(command)?.[1] ?? 0)
    const once = async (): Promise<Learned | undefined> => {
      const ended = await this.#house.start(step.machine, command).ended
      text = ended.text
      if (ended.status !== status)
        throw new Error(`${step.at}: ${command}: exit status ${String(ended.status)}\n${text}`)
      return step.shown.length === 0 ? this.#learned : matchShown(step.shown, text, this.#learned)
    }
    const learned = LOOKS.test(command) ? await until(step.at, once).catch(passOn(() => text)) : await once()
    if (learned === undefined)
      throw new Error(`${step.at}: ${command}: is shown as\n${step.shown.join('\n')}\nand was\n${text}`)
    this.#learned = learned
  }

  /** Who waited for another device has seen it by now. */
  async #end(): Promise<void> {
    for (const { at, running } of this.#waiting) {
      const { status, text } = await running.ended
      if (status !== 0) throw new Error(`${at}: ended with ${String(status)}:\n${text}`)
    }
    this.#waiting = []
  }
}

function passOn(text: () => string): (error: unknown) => never {
  return (error) => {
    throw new Error(`${(error as Error).message}\nlast it was\n${text()}`, { cause: error })
  }
}
