import { Argument, type Command } from 'commander'
import { completionScript, type Shell, SHELLS } from '../completion.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar completion SHELL`: a script with which the shell completes commands and options. */
export const defineCompletion: Define = (program, act) => {
  const command = program
    .command('completion')
    .helpGroup(GROUP.care)
    .summary('print a completion script for a shell')
    .description('Prints a script with which the shell completes commands, options and their values.')
    .addArgument(new Argument('<shell>', 'which shell').choices([...SHELLS]))
    .action(act((session: Session, shell: Shell) => print(session, program, shell)))
  examples(
    command,
    'cellar completion bash > ~/.local/share/bash-completion/completions/cellar',
    'cellar completion zsh > "${fpath[1]}/_cellar"',
    'cellar completion fish > ~/.config/fish/completions/cellar.fish',
  )
}

async function print(session: Session, program: Command, shell: Shell): Promise<undefined> {
  session.print.result(completionScript(program, shell).trimEnd())
  return undefined
}
