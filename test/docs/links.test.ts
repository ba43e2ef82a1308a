/** The documents keep their promises: links lead somewhere, tests that are named are there, commands and flags too. */

import assert from 'node:assert/strict'
import { dirname, posix } from 'node:path'
import type { Command } from 'commander'
import ts from 'typescript'
import { makeProgram } from '../../cli/program.ts'
import { fencesOf, linesOutside, linksOf } from '../tools/markdown.ts'
import { isInProject, projectFiles, projectText } from '../tools/project.ts'
import { commandsIn } from './steps.ts'

const documents = projectFiles('.md')
const pages = documents.filter((path) => path.startsWith('docs/') || path === 'README.md')
const storyPages = pages.filter((path) => /^docs\/stories\/\d\d-/.test(path))
const storiesCount = 22

/** Fails with all that was found, a line each. */
function assertNone(found: readonly string[]): void {
  assert.equal(found.length, 0, `\n${found.slice(0, 40).join('\n')}\n`)
}

/** Where a link of a page leads: a path of the project, and the heading behind `#`; undefined: out of the project. */
function targetOf(path: string, target: string): { file: string; heading: string | undefined } | undefined {
  if (/^[a-z]+:/.test(target)) return undefined
  const [file = '', heading] = target.split('#')
  return { file: file === '' ? path : posix.normalize(posix.join(dirname(path), file)), heading }
}

/** Headings as links name them. */
function headingsOf(path: string): string[] {
  return linesOutside(path)
    .filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    )
}

const titles = new Map<string, readonly string[]>()

/** Titles of all suites and cases of a test file, as its source has them. */
function titlesOf(path: string): readonly string[] {
  const known = titles.get(path)
  if (known !== undefined) return known
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const [title] = ts.isCallExpression(node) ? node.arguments : []
    const isCase =
      ts.isCallExpression(node) && /^(it|describe)\b/.test(node.expression.getText()) && title !== undefined
    if (isCase && ts.isStringLiteralLike(title)) found.push(title.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, projectText(path), ts.ScriptTarget.Latest, true))
  titles.set(path, found)
  return found
}

const program = makeProgram(() => () => Promise.resolve())

/** What is wrong with a command line of `cellar`, as far as its words say; undefined: nothing. */
function wrongIn(words: readonly string[]): string | undefined {
  let command: Command = program
  let depth = 0
  for (const [n, word] of words.entries()) {
    if (word === '--help' || word === '--') return undefined
    if (word.startsWith('-') && word !== '-') {
      const [flag = ''] = word.split(/[=[]/)
      const isKnown = [command, program].some(({ options }) =>
        options.some(({ long, short }) => flag === long || flag === short),
      )
      if (!isKnown) return `${command.name()} has no ${flag}`
      continue
    }
    if (words[n - 1] === '--home') continue
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined && depth === 0 && word !== 'help') return `there is no command ${word}`
    if (next !== undefined && depth < 2) command = next
    depth += 1
  }
  return undefined
}

/** Calls of `cellar` within a piece of shell or prose: the words of each. */
function callsIn(text: string): string[][] {
  return text
    .replace(/\\\n/g, ' ')
    .split(/\n|;|&&|\|\|?|&(?=\s|$)|\$\(|[<>)]/)
    .map((part) => part.replace(/#.*$/, '').trim())
    .map((part) => /^(?:(?:\w+=\S*|sudo|-u|ssh|exec|[\w.-]+@?[\w.]*) )*?cellar((?: |$).*)/.exec(part)?.[1])
    .flatMap((rest) => (rest === undefined ? [] : [rest.split(/\s+/).filter((word) => word !== '')]))
}

describe('the documents', () => {
  it('have no link whose file or heading is not there', () => {
    assertNone(
      documents
        .flatMap((path) => linksOf(path))
        .flatMap(({ path, line, target }) => {
          const to = targetOf(path, target)
          if (to === undefined) return []
          if (!isInProject(to.file)) return [`${path}:${String(line)}: ${target}`]
          const isThere =
            to.heading === undefined || !to.file.endsWith('.md') || headingsOf(to.file).includes(to.heading)
          return isThere ? [] : [`${path}:${String(line)}: ${target}: no such heading`]
        }),
    )
  })

  it('name tests by titles that there are', () => {
    const toTests = pages.flatMap((path) => linksOf(path)).filter(({ target }) => target.endsWith('.test.ts'))
    assert.ok(toTests.length > 80, `only ${String(toTests.length)} links to tests`)
    assertNone(
      toTests.flatMap(({ path, line, target, title }) => {
        const file = targetOf(path, target)?.file ?? ''
        if (title === undefined) return [`${path}:${String(line)}: ${target}: which test? "TITLE"`]
        return isInProject(file) && titlesOf(file).includes(title)
          ? []
          : [`${path}:${String(line)}: ${target} has no test "${title}"`]
      }),
    )
  })

  it('tell each of the stories on a page of its own', () => {
    const numbers = storyPages.map((path) => Number(/\d\d/.exec(path)?.[0]))
    assert.deepEqual(
      numbers,
      Array.from({ length: storiesCount }, (_, n) => n + 1),
    )
    for (const [n, path] of storyPages.entries())
      assert.match(projectText(path), new RegExp(`^# ${String(n + 1)}\\. `), path)
    const list = linksOf('docs/README.md').map(({ target }) => `docs/${target}`)
    assertNone(storyPages.filter((path) => !list.includes(path)))
  })

  it('show each story by its own test, or say that it is not built', () => {
    const tests = projectFiles('.test.ts').filter((path) => /^test\/stories\/\d\d-/.test(path))
    assertNone(
      storyPages.flatMap((path) => {
        const number = /\d\d/.exec(path)?.[0] ?? ''
        const links = linksOf(path).map(({ target }) => targetOf(path, target)?.file ?? '')
        const own = tests.filter((test) => test.startsWith(`test/stories/${number}-`))
        const isSaid = /^\*\*[^*]*[Nn]ot built|\bis not built\b/m.test(projectText(path))
        const left = own
          .filter((test) => !links.includes(test))
          .map((test) => `${path}: ${test} is not linked`)
        const isShown = own.length > 0 || isSaid || links.some((file) => file.endsWith('.test.ts'))
        return isShown ? left : [...left, `${path}: shown by nothing, and not said to be missing`]
      }),
    )
  })

  it('can be reached from the map, every page of them', () => {
    const seen = new Set<string>()
    const walk = (path: string): void => {
      if (seen.has(path)) return
      seen.add(path)
      for (const { target } of linksOf(path)) {
        const file = targetOf(path, target)?.file ?? ''
        if (file.startsWith('docs/') && file.endsWith('.md') && isInProject(file)) walk(file)
      }
    }
    walk('docs/README.md')
    assertNone(pages.filter((path) => path !== 'README.md' && !seen.has(path)))
  })

  it('type no command and no flag that there is not, also where they are not run', () => {
    const inFences = pages.flatMap((path) =>
      fencesOf(path)
        .filter(({ language }) => language === 'sh')
        .flatMap((fence) => commandsIn(fence).map((text) => ({ at: `${path}:${String(fence.line)}`, text }))),
    )
    const inProse = pages.flatMap((path) =>
      linesOutside(path).flatMap((line, n) =>
        [...line.matchAll(/`(cellar [^`]*)`/g)].map(([, text = '']) => ({
          at: `${path}:${String(n + 1)}`,
          text,
        })),
      ),
    )
    const calls = [...inFences, ...inProse].flatMap(({ at, text }) =>
      callsIn(text).map((words) => ({ at, words })),
    )
    assert.ok(calls.length > 150, `only ${String(calls.length)} calls`)
    assertNone(
      calls.flatMap(({ at, words }) => {
        const wrong = wrongIn(words.map((word) => word.replace(/^['"(]|['"),.;:]+$/g, '')))
        return wrong === undefined ? [] : [`${at}: cellar ${words.join(' ')}: ${wrong}`]
      }),
    )
  })

  it('have their blocks in fences', () => {
    assertNone(
      pages.flatMap((path) =>
        linesOutside(path).flatMap((line, n, all) =>
          line.startsWith('    ') && (all[n - 1] ?? '') === '' ? [`${path}:${String(n + 1)}`] : [],
        ),
      ),
    )
  })
})

describe('what is checked of commands', () => {
  it('finds a wrong command, a wrong flag, and takes what is right', () => {
    const wrong = (text: string): (string | undefined)[] => callsIn(text).map(wrongIn)
    assert.deepEqual(wrong('cellar backup --wait=2 ~/x'), [undefined])
    assert.deepEqual(wrong('cellar bakcup ~/x'), ['there is no command bakcup'])
    assert.deepEqual(wrong('cellar devices remove --hard pi'), ['remove has no --hard'])
    assert.deepEqual(wrong('x=1 sudo -u r cellar --home /a b'), ['there is no command b'])
    assert.deepEqual(wrong('a | ssh pi cellar join -'), [undefined])
    assert.deepEqual(wrong('echo 1; cellar status -q && cellar nonsense'), [
      undefined,
      'there is no command nonsense',
    ])
  })
})
