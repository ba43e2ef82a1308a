import { CellarError } from '../../node/client.ts'
import { askPassphrase, askSecret } from '../passphrase.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar key passphrase set|remove` and `key change`: the keys of this device and of the vault. */
export const defineKey: Define = (program, act) => {
  const command = program
    .command('key')
    .helpGroup(GROUP.care)
    .summary('a passphrase for the keys of this device; a new vault key')
    .description(
      'Puts the keys of this device under a passphrase, or changes the key under which backups are sealed.',
    )
  command
    .command('passphrase')
    .description(
      'set or remove the passphrase of the keys on this disk. The new one is asked for on the terminal, or comes from CELLAR_NEW_PASSPHRASE_FILE; the present one as for every command, also from CELLAR_PASSPHRASE_FILE.',
    )
    .argument('<action>', 'set or remove')
    .action(act(passphrase))
  command
    .command('change')
    .description('seal what is backed up from now on under a new vault key; what is there stays readable')
    .action(act(change))
  examples(command, 'cellar key passphrase set', 'cellar key passphrase remove', 'cellar key change')
}

async function passphrase(session: Session, action: string): Promise<undefined> {
  const home = await session.home()
  const { door } = session.world
  const ask = () => askPassphrase(session, 'Passphrase of this device, as it is now: ')
  if (action === 'set') {
    await door.setPassphrase(home, await newPassphrase(session), ask)
    if (session.json) return void session.print.json({ message_type: 'passphrase_set' })
    session.print.info(
      'The keys on this disk are under a passphrase. Who forgets it needs the recovery phrase.',
    )
    session.print.info('A node that starts by itself takes it from CELLAR_PASSPHRASE_FILE.')
    return undefined
  }
  if (action !== 'remove') throw new CellarError('USAGE', `"${action}" is neither set nor remove`)
  const wasThere = await door.removePassphrase(home, ask)
  if (session.json) return void session.print.json({ message_type: 'passphrase_removed', was_set: wasThere })
  session.print.info(wasThere ? 'The keys on this disk are plain files again.' : 'There was no passphrase.')
  return undefined
}

async function newPassphrase(session: Session): Promise<string> {
  const file = session.world.env['CELLAR_NEW_PASSPHRASE_FILE']
  if (file !== undefined && file !== '')
    return (await session.world.door.readSecretFile(session.path(file))).replace(/\r?\n$/, '')
  const first = await askSecret(session, 'New passphrase, 8 characters or more: ')
  const second = await askSecret(session, 'The same again: ')
  if (first !== second) throw new CellarError('PASSPHRASE_WRONG', 'the two are not the same')
  return first
}

async function change(session: Session): Promise<undefined> {
  const changed = await session.call('vaultChange', {})
  if (session.json) return void session.print.json(changed)
  session.print.info(
    'What is backed up from now on is sealed under a new vault key; what is there stays readable.',
  )
  session.print.info(
    'Content that is new or changed is stored anew once, as nothing of it is known under this key.',
  )
  return undefined
}
