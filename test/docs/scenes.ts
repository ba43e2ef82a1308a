/** The households in which the examples of the documents are done: what is there before the first line. */

import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Sandbox } from './sandbox.ts'
import type { Learned } from './shown.ts'

/** How a scene begins. */
export interface Scene {
  /** Machines; each has some documents in its home. The others call the first one. */
  readonly machines: readonly string[]
  /** They are one mesh: the desktop a keeper, the laptop a writer, the pi a storer that may forget. */
  readonly isPaired: boolean
  /** Whose node runs at the beginning. */
  readonly running: readonly string[]
  /** What has happened before; gives what documents name without having shown it. */
  readonly before?: (house: Sandbox) => Promise<Learned>
}

const three = ['desktop', 'laptop', 'pi'] as const

/** Three machines that are nothing yet. */
const NOTHING: Scene = { machines: three, isPaired: false, running: [] }
/** Three devices that run. */
const FAMILY: Scene = { machines: three, isPaired: true, running: three }

/** The laptop has made two snapshots, which all hold; between them it changed a file, and removed one. */
const FAMILY_WITH_SNAPSHOTS: Scene = {
  ...FAMILY,
  before: async (house) => {
    const first = await backUp(house, 'laptop')
    await house.run(
      'laptop',
      'echo "Tuesday: sun." >> ~/Documents/diary.txt; rm ~/Documents/letters/club.txt',
    )
    const second = await backUp(house, 'laptop')
    return new Map([
      ['3f2a91c0', first],
      ['77e01b2d', second],
    ])
  },
}

/** What documents call the places of the machines. */
const ADDRESSES: Readonly<Record<string, string>> = {
  desktop: '192.168.1.20:4517',
  laptop: '192.168.1.21:4517',
  pi: '192.168.1.30:4517',
  newlaptop: '192.168.1.22:4517',
}

/** By the name that blocks have behind `example=`. */
export const SCENES: Readonly<Record<string, Scene>> = {
  pairing: NOTHING,
  backup: FAMILY,
  away: {
    ...FAMILY,
    // The laptop has seen the others, and they have gone.
    before: async (house) => {
      await house.run('laptop', 'until [ $(cellar devices | grep -c connected) = 2 ]; do sleep 0.1; done')
      await Promise.all(['desktop', 'pi'].map((name) => house.run(name, 'cellar stop')))
      return new Map()
    },
  },
  box: {
    ...NOTHING,
    machines: ['desktop', 'pi'],
    before: async (house) => {
      await house.run('desktop', 'cellar init --name desktop')
      await house.startNodes(['desktop'])
      return new Map()
    },
  },
  friend: {
    ...FAMILY,
    machines: [...three, 'friend'],
    running: ['desktop'],
    // A second device of that machine, on loopback too.
    before: async (house) =>
      new Map([['0.0.0.0:4518', house.machine('desktop').listen.replace('4517', '4518')]]),
  },
  history: FAMILY_WITH_SNAPSHOTS,
  recovery: {
    ...FAMILY,
    machines: [...three, 'newlaptop'],
    before: async (house) => {
      await backUp(house, 'laptop')
      // The paper that outlives the machine on which it was written.
      const paper = 'phrase.txt'
      symlinkSync(join(house.machine('desktop').home, paper), join(house.machine('newlaptop').home, paper))
      return new Map()
    },
  },
  readme: { ...NOTHING, machines: ['desktop', 'laptop'] },
  road: { ...FAMILY, running: ['desktop'] },
  service: { ...NOTHING, machines: ['desktop'] },
  settings: { ...FAMILY, running: ['laptop', 'desktop'] },
}

/** Backs the documents of a machine up and waits until all hold them. @returns the beginning of the id */
async function backUp(house: Sandbox, name: string): Promise<string> {
  const text = await house.run(name, 'cellar backup ~/Documents --wait')
  const id = /snapshot ([0-9a-f]{8}) saved/.exec(text)?.[1]
  if (id === undefined) throw new Error(`no snapshot was made:\n${text}`)
  return id
}

let family: Promise<Sandbox> | undefined

/** The three devices, paired once; none runs. */
async function makeFamily(): Promise<Sandbox> {
  const house = new Sandbox(three)
  await house.run('desktop', 'cellar init --name desktop')
  await house.startNodes(['desktop'])
  for (const [name, flags] of [
    ['pi', '--role storer --may-forget'],
    ['laptop', '--role writer'],
  ] as const) {
    const token = house.start('desktop', `cellar invite -q --token ${flags} > ${name}.token`)
    await house.run('desktop', `until grep -q ^rc1- ${name}.token; do sleep 0.05; done`)
    await house.run('desktop', `cat ${name}.token | ssh ${name} cellar join - --name ${name}`)
    await token.ended
  }
  await house.run('desktop', 'cellar stop')
  return house
}

/** Machines as the scene begins. */
export async function openScene(scene: Scene): Promise<{ house: Sandbox; learned: Learned }> {
  const house = new Sandbox(scene.machines)
  try {
    if (scene.isPaired) house.copyDevices(await (family ??= makeFamily()))
    await house.startNodes(scene.running)
    const places = [...house.machines.values()].flatMap(({ name, listen }) => {
      const shown = ADDRESSES[name]
      return shown === undefined ? [] : [[shown, listen] as const]
    })
    return { house, learned: new Map([...places, ...((await scene.before?.(house)) ?? [])]) }
  } catch (error) {
    await house[Symbol.asyncDispose]()
    throw error
  }
}

/** Ends what scenes have in common. */
export async function closeScenes(): Promise<void> {
  const house = await family?.catch(() => undefined)
  await house?.[Symbol.asyncDispose]()
}
