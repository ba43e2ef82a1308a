/** Completion scripts, made from the tree of commands: pure, nothing is asked when the shell completes. */

import type { Command, Option } from 'commander'

/** Shells that a script can be made for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
/** A shell that completion is written for. */
export type Shell = (typeof SHELLS)[number]

interface Word {
  readonly name: string
  readonly about: string
}

interface Flag {
  /** As typed: `-e`, `--exclude`. */
  readonly names: readonly string[]
  readonly about: string
  readonly takesValue: boolean
  readonly choices: readonly string[]
}

/** One command with its path: `devices rename` is `['devices', 'rename']`, the program itself `[]`. */
interface Place {
  readonly path: readonly string[]
  readonly words: readonly Word[]
  readonly flags: readonly Flag[]
  /** Fixed values of the first argument. */
  readonly values: readonly string[]
}

/**
 * Makes the script.
 *
 * @param program - the whole tree
 * @returns text for the shell to read
 */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, [], program.options.map(flagOf))
  if (shell === 'bash') return bashScript(places)
  return shell === 'zsh' ? zshScript(places) : fishScript(places)
}

function placesOf(command: Command, path: readonly string[], common: readonly Flag[]): Place[] {
  const own = path.length === 0 ? [] : command.options.map(flagOf)
  const help: Flag = { names: ['-h', '--help'], about: 'show help', takesValue: false, choices: [] }
  const words = command.commands.map((child) => ({
    name: child.name(),
    about: child.summary() || child.description(),
  }))
  if (path.length === 0) words.push({ name: 'help', about: 'show help for a command' })
  const values = command.registeredArguments[0]?.argChoices ?? []
  const place: Place = { path, words, flags: [...own, ...common, help], values }
  const names =
    path.length === 0
      ? [{ path: ['help'], words: words.filter((word) => word.name !== 'help'), flags: [help], values: [] }]
      : []
  return [
    place,
    ...names,
    ...command.commands.flatMap((child) => placesOf(child, [...path, child.name()], common)),
  ]
}

function flagOf(option: Option): Flag {
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    about: option.description,
    takesValue: option.required,
    choices: option.argChoices ?? [],
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function bashScript(places: readonly Place[]): string {
  const words = places.map((place) => {
    const names = [...place.words.map((word) => word.name), ...place.values]
    const flags = place.flags.flatMap((flag) => flag.names)
    return `    ${quote(place.path.join(' '))}) words=${quote(names.join(' '))}; flags=${quote(flags.join(' '))} ;;`
  })
  const choices = places.flatMap((place) =>
    place.flags
      .filter((flag) => flag.choices.length > 0)
      .map(
        (flag) =>
          `    ${flag.names.map((name) => quote(`${place.path.join(' ')}:${name}`)).join('|')}) values=${quote(flag.choices.join(' '))} ;;`,
      ),
  )
  const valued = [
    ...new Set(
      places.flatMap((place) => place.flags.filter((flag) => flag.takesValue).flatMap((flag) => flag.names)),
    ),
  ]
  const paths = places.filter((place) => place.path.length > 0).map((place) => quote(place.path.join(' ')))
  return `# bash completion for cellar
_cellar() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local place='' word try skip='' words='' flags='' values=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case "$word" in
    ${valued.join('|')}) skip=1; continue ;;
    -*) continue ;;
    esac
    try="\${place:+$place }$word"
    case "$try" in
    ${paths.join('|')}) place="$try" ;;
    esac
  done
  case "$place" in
${words.join('\n')}
  esac
  case "$place:$before" in
${choices.join('\n')}
  esac
  if [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ -n $skip ]]; then
    COMPREPLY=()
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o bashdefault -o default -F _cellar cellar
`
}

/** A text inside of zsh's `_arguments` and `_describe`, where brackets and colons mean something. */
function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&')
}

function zshScript(places: readonly Place[]): string {
  const functions = places.map((place) => {
    const flags = place.flags.map((flag) => zshFlag(flag))
    const name = ['_cellar', ...place.path].join('_')
    if (place.words.length === 0) {
      const rest = place.values.length > 0 ? `'1:value:(${place.values.join(' ')})'` : `'*:file:_files'`
      return `${name}() {\n  _arguments -s ${[...flags, rest].join(' \\\n    ')}\n}`
    }
    const list = place.words
      .map((word) => `    ${quote(`${zshText(word.name)}:${zshText(word.about)}`)}`)
      .join('\n')
    const cases = place.words
      .filter((word) => word.name !== 'help')
      .map((word) => `    ${word.name}) ${place.path[0] === 'help' ? ':' : `${name}_${word.name}`} ;;`)
    if (place.path.length === 0) cases.push('    help) _cellar_help ;;')
    return `${name}() {
  local context state line
  typeset -A opt_args
  local -a commands=(
${list}
  )
  _arguments -s -C ${flags.join(' \\\n    ')} \\
    '1: :->command' '*:: :->rest'
  case $state in
  command) _describe command commands ;;
  rest)
    case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}`
  })
  // Loaded by name the file is the function's body, and has to call it; sourced it only declares.
  const call = 'if [[ $funcstack[1] == _cellar ]]; then _cellar "$@"; fi'
  return `#compdef cellar\ncompdef _cellar cellar\n\n${functions.join('\n\n')}\n\n${call}\n`
}

function zshFlag(flag: Flag): string {
  const about = zshText(flag.about)
  const value = flag.takesValue
    ? `:value:${flag.choices.length > 0 ? `(${flag.choices.join(' ')})` : '_files'}`
    : ''
  const [first = '', second] = flag.names
  if (second === undefined) return quote(`*${first}[${about}]${value}`)
  return `'*'{${first},${second}}${quote(`[${about}]${value}`)}`
}

function fishScript(places: readonly Place[]): string {
  const lines = ['# fish completion for cellar']
  for (const place of places) {
    const condition = fishCondition(place)
    for (const word of place.words)
      lines.push(
        `complete -c cellar -f -n ${quote(condition)} -a ${quote(word.name)} -d ${quote(word.about)}`,
      )
    for (const value of place.values)
      lines.push(`complete -c cellar -f -n ${quote(condition)} -a ${quote(value)}`)
    const seen =
      place.path.length === 0
        ? ''
        : ` -n ${quote(place.path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and '))}`
    for (const flag of place.path.length === 0
      ? place.flags
      : place.flags.filter(
          (own) => !places[0]?.flags.some((common) => common.names.join() === own.names.join()),
        )) {
      const names = flag.names
        .map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
        .join(' ')
      const value =
        flag.choices.length > 0 ? ` -x -a ${quote(flag.choices.join(' '))}` : flag.takesValue ? ' -r' : ''
      lines.push(`complete -c cellar${seen} ${names}${value} -d ${quote(flag.about)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function fishCondition(place: Place): string {
  if (place.path.length === 0) return '__fish_use_subcommand'
  const inside = place.path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ')
  return place.words.length === 0
    ? inside
    : `${inside}; and not __fish_seen_subcommand_from ${place.words.map((word) => word.name).join(' ')}`
}
