import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePasswd, type Ran, type ServiceHost, type SystemUser } from '../../../cli/service/host.ts'
import { homeInUnit, planUnit, type ServiceRequest, unitPath } from '../../../cli/service/plan.ts'
import { UNIT_MARK, UNIT_NAME, type UnitOptions, unitText } from '../../../cli/service/unit.ts'
import type { HomeFacts, NodeHandle } from '../../../node/client.ts'
import { projectRoot } from '../../tools/project.ts'
import { cellar, type FakeOptions, HOME } from './fake-world.ts'

const ann: SystemUser = { name: 'ann', uid: 1000, directory: '/home/ann' }
const root: SystemUser = { name: 'root', uid: 0, directory: '/root' }
const keeper: SystemUser = { name: 'rootcellar', uid: 990, directory: '/var/lib/rootcellar' }
const program = ['/usr/bin/node', '/opt/rootcellar/cellar.js']

/** The four kinds of unit there are; each has its text in a file beside this one. */
const UNITS: Readonly<Record<string, UnitOptions>> = {
  'user-reader': {
    scope: 'user',
    user: 'ann',
    command: program,
    env: { XDG_DATA_HOME: '/home/ann/My data' },
    writes: ['/home/ann/My data/rootcellar', '/home/ann/My data/rootcellar/store'],
    reads: [...program, '/home/ann/.config/rootcellar/config.toml'],
    userHome: '/home/ann',
    isReader: true,
    isSocketInTmp: false,
  },
  'system-reader': {
    scope: 'system',
    user: 'ann',
    command: [...program, '--home', '/home/ann/100% $mine'],
    env: {},
    writes: ['/home/ann/100% $mine', '/mnt/disk/store', '-/var/lib/node_exporter'],
    reads: program,
    userHome: '/home/ann',
    isReader: true,
    isSocketInTmp: false,
  },
  'system-root': {
    scope: 'system',
    user: 'root',
    command: [...program, '--home', '/var/lib/rootcellar'],
    env: {},
    writes: ['/var/lib/rootcellar'],
    reads: program,
    userHome: '/root',
    isReader: true,
    isSocketInTmp: false,
  },
  'system-storer': {
    scope: 'system',
    user: 'rootcellar',
    command: [...program, '--home', '/var/lib/rootcellar'],
    env: {},
    writes: ['/var/lib/rootcellar', '/var/lib/rootcellar/store'],
    reads: [...program, '/var/lib/rootcellar/config.toml'],
    userHome: '/var/lib/rootcellar',
    isReader: false,
    isSocketInTmp: false,
  },
}

const fileOf = (name: string) => join(projectRoot, 'test', 'unit', 'cli', 'units', `${name}.service`)

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

describe('a systemd unit', () => {
  for (const [name, options] of Object.entries(UNITS)) {
    it(`is that of units/${name}.service`, () => {
      const text = unitText(options)
      if (process.env['WRITE_UNITS'] === '1') writeFileSync(fileOf(name), text)
      assert.equal(text, readFileSync(fileOf(name), 'utf8'))
    })
  }

  it('is shut into its own directories on a storer, and never hides owners from who backs up', () => {
    const storer = unitText(UNITS['system-storer'] ?? assert.fail())
    for (const line of ['ProtectHome=yes', 'PrivateUsers=yes', 'PrivateTmp=yes', 'CapabilityBoundingSet='])
      assert.ok(storer.split('\n').includes(line), line)
    for (const name of ['user-reader', 'system-reader', 'system-root'])
      assert.doesNotMatch(
        unitText(UNITS[name] ?? assert.fail()),
        /PrivateUsers|PrivateTmp|RestrictSUIDSGID|UMask/,
      )
    // What only works with a user name space of its own is left out of a person's unit.
    assert.doesNotMatch(
      unitText(UNITS['user-reader'] ?? assert.fail()),
      /Protect|ReadWrite|Capabilit|PrivateDev/,
    )
  })

  it('of a storer that lives in a home leaves that open to be read', () => {
    const options = UNITS['system-storer'] ?? assert.fail()
    const text = unitText({ ...options, writes: ['/home/pi/.local/share/rootcellar'] })
    assert.match(text, /^ProtectHome=read-only$/m)
    assert.match(unitText({ ...options, reads: ['/run/user/1000/node'] }), /^ProtectHome=read-only$/m)
  })

  it('has no /tmp of its own where the control socket is in the common one', () => {
    const options = UNITS['system-storer'] ?? assert.fail()
    assert.doesNotMatch(unitText({ ...options, isSocketInTmp: true }), /PrivateTmp/)
  })

  it('is not made for a path that would begin a line of its own', () => {
    const options = UNITS['system-storer'] ?? assert.fail()
    assert.throws(() => unitText({ ...options, command: ['/usr/bin/node', '/opt/a\nUser=root'] }), RangeError)
  })

  it('is understood by systemd, to the last line', function () {
    if (!has('systemd-analyze')) this.skip()
    this.timeout(60_000)
    const directory = mkdtempSync(join(tmpdir(), 'cellar-units-'))
    try {
      for (const [name, options] of Object.entries(UNITS)) {
        // It looks whether the program is there.
        const script = join(directory, 'cellar.js')
        writeFileSync(script, '')
        mkdirSync(join(directory, name))
        const path = join(directory, name, UNIT_NAME)
        const command = [process.execPath, script, ...options.command.slice(2)]
        writeFileSync(path, unitText({ ...options, command }))
        const scope = options.scope === 'user' ? ['--user'] : []
        const env = { ...process.env, XDG_RUNTIME_DIR: directory }
        const { status, stderr } = spawnSync('systemd-analyze', [...scope, 'verify', '--man=no', path], {
          encoding: 'utf8',
          env,
        })
        const about = stderr
          .split('\n')
          .filter((line) => line.includes(UNIT_NAME) || line.includes(directory))
        assert.deepEqual(about, [], name)
        assert.equal(status, 0, `${name}: ${stderr}`)
      }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('leaves little open, by the measure of systemd', function () {
    if (!has('systemd-analyze')) this.skip()
    this.timeout(60_000)
    const directory = mkdtempSync(join(tmpdir(), 'cellar-units-'))
    // 0 is shut, 10 is open; a unit without any of it has 9.6. Since version 250 files can be measured.
    const most = { 'system-storer': 2, 'system-reader': 3, 'system-root': 4 }
    try {
      for (const [name, exposureMax] of Object.entries(most)) {
        const path = join(directory, UNIT_NAME)
        writeFileSync(path, unitText(UNITS[name] ?? assert.fail()))
        const ran = spawnSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', path], {
          encoding: 'utf8',
        })
        if (ran.status !== 0) this.skip()
        const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(ran.stdout) ?? []
        assert.ok(Number(exposure) <= exposureMax, `${name}: ${String(exposure)}`)
      }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

describe('the plan of a service', () => {
  const facts: HomeFacts = { isMember: true, isReader: true, isSealed: false, store: HOME.store, writes: [] }
  const request: ServiceRequest = {
    scope: 'user',
    userName: undefined,
    isHomeNamed: false,
    home: HOME,
    facts,
    ownerUid: 1000,
    users: [root, ann, keeper],
    uid: 1000,
    program,
    env: { HOME: '/home/ann', XDG_DATA_HOME: '/data', LANG: 'C' },
  }

  it('runs as the owner of the home, and finds it as it is found now', () => {
    const plan = planUnit(request)
    assert.equal(plan.user, 'ann')
    assert.deepEqual(plan.command, program)
    assert.deepEqual(plan.env, { XDG_DATA_HOME: '/data' })
    const named = planUnit({ ...request, isHomeNamed: true })
    assert.deepEqual(named.command, [...program, '--home', HOME.directory])
    assert.deepEqual(named.env, {})
    assert.equal(planUnit({ ...request, scope: 'system', uid: 0 }).user, 'ann')
  })

  it('writes where its settings say, too', () => {
    const plan = planUnit({
      ...request,
      facts: { ...facts, store: '/mnt/store', writes: ['/var/lib/node_exporter'] },
    })
    assert.deepEqual(plan.writes, [HOME.directory, '/mnt/store', '-/var/lib/node_exporter'])
  })

  it('is refused where it could not work', () => {
    const refused = (change: Partial<ServiceRequest>, code: string) =>
      assert.throws(() => planUnit({ ...request, ...change }), { code })
    refused({ facts: { ...facts, isMember: false } }, 'NO_MESH')
    refused({ ownerUid: 4711 }, 'HOME_FORBIDDEN')
    refused({ ownerUid: undefined }, 'HOME_FORBIDDEN')
    refused({ uid: 990 }, 'HOME_FORBIDDEN')
    refused({ scope: 'system' }, 'USAGE')
    refused({ scope: 'system', uid: 0, userName: 'rootcellar' }, 'HOME_FORBIDDEN')
    refused({ facts: { ...facts, isSealed: true } }, 'PASSPHRASE_NEEDED')
  })

  it('knows where the passphrase is, where there is one', () => {
    const env = { CELLAR_PASSPHRASE_FILE: '/etc/cellar-phrase' }
    const plan = planUnit({ ...request, isHomeNamed: true, env, facts: { ...facts, isSealed: true } })
    assert.deepEqual(plan.env, env)
    assert.ok(plan.reads.includes('/etc/cellar-phrase'))
  })

  it('tells the home of a unit again', () => {
    for (const options of Object.values(UNITS)) {
      const home = homeInUnit(unitText(options))
      assert.equal(home !== undefined, options.command.includes('--home'))
    }
    assert.equal(homeInUnit(unitText(UNITS['system-root'] ?? assert.fail())), '/var/lib/rootcellar')
  })

  it('is written where systemd looks', () => {
    assert.equal(unitPath('system', {}, '/home/ann'), `/etc/systemd/system/${UNIT_NAME}`)
    assert.equal(unitPath('user', {}, '/home/ann'), `/home/ann/.config/systemd/user/${UNIT_NAME}`)
    assert.equal(unitPath('user', { XDG_CONFIG_HOME: '/cfg' }, '/home/ann'), `/cfg/systemd/user/${UNIT_NAME}`)
  })

  it('reads the users of a machine', () => {
    assert.deepEqual(
      parsePasswd('root:x:0:0:root:/root:/bin/bash\n\n# no user\nann:x:1000:1000::/home/ann:/bin/sh\n'),
      [root, ann],
    )
  })
})

/** A machine with systemd, in memory. */
class FakeMachine implements ServiceHost {
  readonly program = program
  readonly files = new Map<string, string>()
  readonly ran: string[] = []
  uid = 1000
  state = 'inactive'
  hasSystemctl = true
  failsAt: string | undefined
  /** What becomes of the node when it is begun. */
  begins = 'active'

  users = () => [root, ann, keeper]
  ownerOf = () => 1000
  read = (path: string) => this.files.get(path)
  write = (path: string, text: string) => void this.files.set(path, text)
  remove = (path: string) => void this.files.delete(path)

  run = (name: string, args: readonly string[]): Promise<Ran | undefined> => {
    if (!this.hasSystemctl) return Promise.resolve(undefined)
    const line = [name, ...args].join(' ')
    const ok = (stdout = '') => Promise.resolve({ status: 0, stdout, stderr: '' })
    if (name === 'loginctl') return ok('Linger=no\n')
    if (args.includes('show'))
      return ok(`ActiveState=${this.state}\nSubState=x\nUnitFileState=enabled\nMainPID=7\n`)
    this.ran.push(line)
    if (this.failsAt !== undefined && line.includes(this.failsAt))
      return Promise.resolve({ status: 1, stdout: '', stderr: 'Failed to connect to bus\n' })
    if (args.includes('restart')) this.state = this.begins
    if (args.includes('disable')) this.state = 'inactive'
    return ok()
  }
}

const path = `/home/ann/.config/systemd/user/${UNIT_NAME}`

describe('cellar service', () => {
  let machine: FakeMachine
  beforeEach(() => (machine = new FakeMachine()))

  const handle = { call: () => assert.fail(), close: () => Promise.resolve() } as unknown as NodeHandle
  const run = (args: readonly string[], options: FakeOptions = {}) =>
    cellar(['service', ...args], {
      host: machine,
      env: { HOME: '/home/ann' },
      ...options,
      door: { connect: async () => (machine.state === 'active' ? handle : undefined), ...options.door },
    })

  it('install writes the unit, starts it, and waits until the node answers', async () => {
    const { status, stdout } = await run(['install'])
    assert.equal(status, 0)
    assert.ok(machine.files.get(path)?.startsWith(UNIT_MARK))
    assert.deepEqual(machine.ran, [
      'systemctl --user daemon-reload',
      `systemctl --user enable ${UNIT_NAME}`,
      `systemctl --user restart ${UNIT_NAME}`,
    ])
    assert.match(stdout, /enable-linger/)
  })

  it('install again brings it up to date', async () => {
    await run(['install'])
    machine.files.set(path, `${machine.files.get(path) ?? ''}# of an older version\n`)
    const old = await run(['status'])
    assert.match(old.stdout, /up to date +no/)
    assert.equal((await run(['install'])).status, 0)
    assert.match((await run(['status'])).stdout, /up to date +yes/)
  })

  it('install --print writes nothing', async () => {
    const { stdout } = await run(['install', '--print'])
    assert.match(stdout, /^ExecStart=/m)
    assert.equal(machine.files.size + machine.ran.length, 0)
  })

  it('install leaves alone what it has not written, and what runs another home', async () => {
    machine.files.set(path, '[Unit]\n')
    assert.equal((await run(['install'])).status, 2)
    assert.equal(machine.files.get(path), '[Unit]\n')
    machine.files.clear()
    await run(['install'])
    machine.state = 'inactive'
    const other = await cellar(['--home', '/home/ann/other', 'service', 'install'], {
      host: machine,
      env: { HOME: '/home/ann' },
    })
    assert.equal(other.status, 2)
    assert.match(other.stderr, /another home/)
  })

  it('install is refused while a node that was started by hand runs', async () => {
    const { status, stderr } = await run(['install'], { door: { connect: async () => handle } })
    assert.equal(status, 1)
    assert.match(stderr, /cellar stop/)
    assert.equal(machine.files.size, 0)
  })

  it('says so when there is no systemd, or it fails, or the node does not begin', async () => {
    machine.hasSystemctl = false
    const none = await run(['install', '--json'])
    assert.match(none.stderr, /there is no systemctl/)
    assert.equal(machine.files.size, 0)
    machine.hasSystemctl = true
    machine.failsAt = 'enable'
    assert.match((await run(['install'])).stderr, /systemctl enable .*: Failed to connect to bus/)
    machine.failsAt = undefined
    machine.begins = 'failed'
    const failed = await run(['install'])
    assert.equal(failed.status, 1)
    assert.match(failed.stderr, /did not begin.*journalctl --user/)
  })

  it('uninstall stops it and takes the unit away, and nothing else', async () => {
    await run(['install'])
    machine.ran.length = 0
    assert.equal((await run(['uninstall'])).status, 0)
    assert.equal(machine.files.size, 0)
    assert.deepEqual(machine.ran, [
      `systemctl --user disable --now ${UNIT_NAME}`,
      'systemctl --user daemon-reload',
    ])
    assert.match((await run(['uninstall'])).stdout, /There was no service/)
    machine.files.set(path, '[Unit]\n')
    assert.equal((await run(['uninstall'])).status, 2)
    assert.ok(machine.files.has(path))
  })

  it('status says whether it runs, also by its exit status', async () => {
    assert.equal((await run(['status'])).status, 1)
    await run(['install'])
    const { status, stdout } = await run(['status', '--json'])
    assert.equal(status, 0)
    const said = JSON.parse(stdout) as Record<string, unknown>
    assert.deepEqual(
      [said['installed'], said['running'], said['enabled'], said['pid']],
      [true, true, true, 7],
    )
  })

  it('--system is for root', async () => {
    assert.equal((await run(['install', '--system'])).status, 2)
    machine.uid = 0
    const { status } = await run(['install', '--system', '--user', 'ann'])
    assert.equal(status, 0)
    const text = machine.files.get(`/etc/systemd/system/${UNIT_NAME}`) ?? assert.fail()
    assert.match(text, /^User=ann$/m)
    assert.doesNotMatch(text, /--home/)
    assert.deepEqual(machine.ran[0], 'systemctl daemon-reload')
  })

  it('--user is refused without --system, and for nobody', async () => {
    assert.equal((await run(['install', '--user', 'ann'])).status, 2)
    machine.uid = 0
    assert.match((await run(['install', '--system', '--user', 'eve'])).stderr, /there is no user eve/)
  })
})
