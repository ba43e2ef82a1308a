/** Makes a small tree with every kind of thing that a file system can hold, the same one for the same seed. */

import { Buffer } from 'node:buffer'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { makeNode, setMtimeNs, setXattr } from './libc.ts'
import { type Seeded, seeded, type Writer, writer } from './seeded.ts'

/** How a tree is made. */
export interface TreeOptions {
  readonly seed: string | number
  /** Small files beside the special ones. @defaultValue 300 */
  readonly filesSmall?: number
  /** Bytes of the large file. @defaultValue 6 MiB */
  readonly largeBytes?: number
  /** Files of some ten bytes besides, many of them with hostile names. @defaultValue none */
  readonly filesTiny?: number
}

/** What a made tree has that a search for leaked names or contents can look for. */
export interface MadeTree {
  /** Parts of file names that are nowhere else. */
  readonly names: readonly string[]
  /** Texts inside files that are nowhere else. */
  readonly contents: readonly string[]
  /** What this machine could not make (attributes, devices), in words. */
  readonly leftOut: readonly string[]
}

const secretName = 'quince-marmalade-recipe'
const secretText = 'the key to the cellar is below the third flower pot'
const S_IFIFO = 0o010000
const S_IFCHR = 0o020000
const S_IFBLK = 0o060000

/** Names that have broken programs before, in bytes. */
const hostileNames: readonly Buffer[] = [
  '-rf',
  '--help',
  ' leading and trailing ',
  'two\nlines',
  'tab\there',
  'quote"\'`$(touch oops)',
  'back\\slash',
  '%s%n%d',
  '..dots',
  '...',
  '~tilde',
  '*?[a-z]',
  '\u001b[31mred\u001b[0m',
  'ünïcödé',
  'e\u0301 decomposed',
  '\u202egnp.exe',
  '木の根',
  '🥔',
  'CON',
  `${'long'.repeat(63)}abc`,
]
  .map((name) => Buffer.from(name))
  .concat([Buffer.from([0xff, 0xfe, 0x80, 0x2e, 0x62]), Buffer.from([0xc3, 0x28]), Buffer.from([0x01, 0x7f])])

/** Nanoseconds since 1970 that are hard to keep: before it, around 32 bits, long after, and the last nanosecond. */
const oddTimes: readonly bigint[] = [
  -1n,
  -86_400_000_000_001n,
  -1_500_000_000_123_456_789n,
  0n,
  1n,
  999_999_999n,
  2_147_483_647_999_999_999n,
  2_147_483_648_000_000_001n,
  4_294_967_296_123_456_789n,
  7_258_118_400_000_000_007n,
]

/** Draws what a tree is made from, and knows where it is made. */
class TreeMaker {
  readonly leftOut: string[] = []
  readonly root: Buffer
  readonly chance: Seeded
  readonly prose: Writer

  constructor(root: string, seed: string | number) {
    this.root = Buffer.from(root)
    this.chance = seeded(seed)
    this.prose = writer(this.chance)
  }

  at(path: string | Buffer): Buffer {
    return Buffer.concat([this.root, Buffer.from('/'), Buffer.from(path)])
  }

  /** Does what not every file system or user can; says so instead of failing. */
  try(what: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.leftOut.push(`${what} (${error instanceof Error ? error.message : String(error)})`)
    }
  }

  smallFiles(count: number): void {
    const directories = ['letters', 'letters/2019', 'letters/2020/spring', 'projects/a', 'projects/b/src']
    for (const directory of directories) mkdirSync(this.at(directory), { recursive: true })
    for (let n = 0; n < count; n++) {
      const directory = this.chance.pick(directories)
      const length = this.chance.below(3) === 0 ? this.chance.below(200) : this.chance.below(20_000)
      const isText = this.chance.below(4) !== 0
      writeFileSync(
        this.at(`${directory}/note-${n}${isText ? '.txt' : '.bin'}`),
        isText ? this.prose.text(length) : this.chance.bytes(length),
      )
    }
    writeFileSync(this.at(`letters/${secretName}.txt`), `${secretText}\n`)
    writeFileSync(this.at('empty file'), '')
    writeFileSync(this.at('one byte'), 'x')
  }

  /** A name of 1 to 255 bytes of any value but NUL and slash, which ends with its number and so is the only one. */
  hostileName(n: number): Buffer {
    const end = Buffer.from(`-${n}`)
    const name = this.chance.bytes(1 + this.chance.below(255 - end.length))
    for (const [at, byte] of name.entries()) if (byte === 0 || byte === 0x2f) name[at] = 0x0a
    return Buffer.concat([name, end])
  }

  /** Files in directories of up to a thousand, some three directories deep. */
  tinyFiles(count: number): void {
    for (let n = 0, left = 0, directory = Buffer.alloc(0); n < count; n++, left--) {
      if (left <= 0) {
        left = 1 + this.chance.below(1000)
        const isHostile = this.chance.below(4) === 0
        const above = n % 3 === 0 ? 'many' : `many/${n % 7}/${n % 11}`
        mkdirSync(this.at(above), { recursive: true })
        const name = isHostile ? this.hostileName(n) : Buffer.from(`directory ${n}`)
        directory = Buffer.concat([this.at(above), Buffer.from('/'), name, Buffer.from('/')])
        mkdirSync(directory)
      }
      const name = this.chance.below(8) === 0 ? this.hostileName(n) : Buffer.from(`tiny-${n}`)
      writeFileSync(Buffer.concat([directory, name]), `number ${n}${' again'.repeat(this.chance.below(4))}`)
    }
  }

  largeFiles(bytes: number): void {
    mkdirSync(this.at('large'))
    const content = this.chance.bytes(bytes)
    writeFileSync(this.at('large/photo.raw'), content)
    // The same with something put in near its head: most of it is already known.
    writeFileSync(
      this.at('large/photo-edited.raw'),
      Buffer.concat([content.subarray(0, 1000), Buffer.from('inserted'), content.subarray(1000)]),
    )
    writeFileSync(this.at('large/diary.txt'), this.prose.text(Math.floor(bytes / 2)))
    writeFileSync(this.at('large/zeros'), Buffer.alloc(Math.floor(bytes / 4)))
  }

  links(): void {
    mkdirSync(this.at('links'))
    writeFileSync(this.at('links/one'), 'three names, one file')
    linkSync(this.at('links/one'), this.at('links/two'))
    linkSync(this.at('links/one'), this.at('letters/three'))
    linkSync(this.at('large/photo.raw'), this.at('links/photo.raw'))
    const targets: (string | Buffer)[] = [
      'one',
      '../letters',
      'nowhere/at/all',
      '/',
      '.',
      'self-5',
      `${'x/'.repeat(900)}y`,
    ]
    targets.push(Buffer.from([0x2e, 0x2f, 0xff, 0xfe]))
    targets.forEach((target, n) => symlinkSync(target, this.at(`links/self-${n}`)))
    this.try('a hard link to a symbolic link', () => linkSync(this.at('links/self-2'), this.at('links/twin')))
  }

  sparseFiles(): void {
    mkdirSync(this.at('sparse'))
    const holes: readonly [string, number, readonly [number, number][]][] = [
      ['only-a-hole', 9_000_000, []],
      ['hole-first', 5_242_880, [[4_194_304, 4096]]],
      ['hole-last', 33_554_432, [[0, 65_536]]],
      [
        'islands.img',
        67_108_864,
        [
          [1_048_576, 8192],
          [20_971_520, 300_000],
          [67_104_768, 4096],
        ],
      ],
    ]
    for (const [name, size, islands] of holes) {
      const fd = openSync(this.at(`sparse/${name}`), 'w')
      ftruncateSync(fd, size)
      for (const [offset, length] of islands) writeSync(fd, this.chance.bytes(length), 0, length, offset)
      closeSync(fd)
    }
  }

  oddities(): void {
    mkdirSync(this.at('odd/names'), { recursive: true })
    for (const name of hostileNames) {
      writeFileSync(this.at(Buffer.concat([Buffer.from('odd/names/'), name])), this.prose.text(50))
    }
    const directory = this.at(Buffer.concat([Buffer.from('odd/'), Buffer.from([0xe9, 0x74, 0xe9])]))
    mkdirSync(directory)
    appendFileSync(Buffer.concat([directory, Buffer.from('/inside')]), 'below a name that is not UTF-8')
    mkdirSync(this.at('odd/empty directory'))
    mkdirSync(this.at(`odd/${Array.from({ length: 60 }, (_, n) => `d${n}`).join('/')}`), { recursive: true })
    this.try('a FIFO', () => makeNode(this.at('odd/fifo'), S_IFIFO | 0o640))
    this.try('a character device', () => makeNode(this.at('odd/null'), S_IFCHR | 0o666, 0x103))
    this.try('a block device', () => makeNode(this.at('odd/loop'), S_IFBLK | 0o600, 0x707))
  }

  attributes(): void {
    mkdirSync(this.at('attributes'))
    const set = (path: string, name: string, value: Buffer): void =>
      this.try(`attribute ${name}`, () => setXattr(this.at(path), Buffer.from(name), value))
    for (const name of ['plain', 'many', 'binary', 'acl']) writeFileSync(this.at(`attributes/${name}`), name)
    set('attributes', 'user.directory', Buffer.from('has one too'))
    for (let n = 0; n < 8; n++) set('attributes/many', `user.rootcellar.number-${n}`, this.prose.text(20 + n))
    set('attributes/binary', 'user.binary', this.chance.bytes(1500))
    set('attributes/binary', 'user.empty', Buffer.alloc(0))
    // user::rw-, user:1000:r--, group::r--, mask::r--, other::---, as the kernel stores it (linux/posix_acl_xattr.h)
    const acl = '0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000000ffffffff'
    set('attributes/acl', 'system.posix_acl_access', Buffer.from(acl, 'hex'))
    if (process.getuid?.() === 0) set('attributes/plain', 'trusted.rootcellar', Buffer.from('for root'))
  }

  modes(): void {
    mkdirSync(this.at('modes'))
    for (const mode of [0o400, 0o444, 0o600, 0o644, 0o755, 0o777, 0o1644, 0o2755, 0o4755, 0o6711]) {
      const path = this.at(`modes/${mode.toString(8)}`)
      writeFileSync(path, mode.toString(8))
      chmodSync(path, mode)
    }
    mkdirSync(this.at('modes/private'))
    writeFileSync(this.at('modes/private/inside'), 'mine')
    chmodSync(this.at('modes/private'), 0o700)
    mkdirSync(this.at('modes/sticky'))
    chmodSync(this.at('modes/sticky'), 0o1777)
  }

  /** Gives everything a time of its own, children before their directories. */
  times(directory: Buffer): void {
    for (const name of readdirSync(directory, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))) {
      const path = Buffer.concat([directory, Buffer.from('/'), name])
      if (lstatSync(path).isDirectory()) this.times(path)
      const isOdd = this.chance.below(8) === 0
      const usual = BigInt(1_200_000_000 + this.chance.below(500_000_000)) * 1_000_000_000n
      const time = isOdd ? this.chance.pick(oddTimes) : usual + BigInt(this.chance.below(1_000_000_000))
      setMtimeNs(path, time)
    }
  }
}

/**
 * Makes a tree of every kind of file in a directory.
 *
 * @param directory - made when it is not there; should be empty
 */
export function makeTree(directory: string, options: TreeOptions): MadeTree {
  mkdirSync(directory, { recursive: true })
  const maker = new TreeMaker(directory, options.seed)
  maker.smallFiles(options.filesSmall ?? 300)
  maker.tinyFiles(options.filesTiny ?? 0)
  maker.largeFiles(options.largeBytes ?? 6 * 1024 * 1024)
  maker.links()
  maker.sparseFiles()
  maker.oddities()
  maker.attributes()
  maker.modes()
  maker.times(maker.root)
  return {
    names: [secretName, 'photo-edited.raw', 'hole-first'],
    contents: [secretText, 'three names, one file'],
    leftOut: maker.leftOut,
  }
}
