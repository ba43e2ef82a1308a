import assert from 'node:assert/strict'
import { readConfigText } from '../../../../node/config/parse.ts'
import { fieldsOf } from '../../../../node/config/table.ts'
import { rootFields } from '../../../../node/config/tables.ts'
import { exampleIn, withReference } from '../../../tools/config-reference.ts'
import { projectFiles, projectText } from '../../../tools/project.ts'

describe('the page on settings', () => {
  const page = projectText('docs/config.md')

  it('has the reference that the declaration of the settings makes', () => {
    assert.equal(page, withReference(page), 'node --import tsx test/tools/config-reference.ts')
  })

  it('has a complete example that is right, of every table that there is', () => {
    const { config, problems } = readConfigText(exampleIn(page), {
      path: 'docs/config.md',
      env: { NTFY_TOKEN: 'x' },
      homeDirectory: '/home/ann',
    })
    assert.deepEqual(problems, [])
    assert.ok(config !== undefined)
    for (const { key } of fieldsOf(rootFields).filter(({ type }) => type.schema['type'] === 'object'))
      if (key !== 'silence') assert.match(exampleIn(page), new RegExp(`^\\[+${key}\\b`, 'm'), key)
  })

  it('and the other pages have only settings that there are', () => {
    const pages = projectFiles('.md').filter((file) => file.startsWith('docs/') || file === 'README.md')
    assert.ok(pages.length > 3)
    for (const file of pages)
      for (const [, text = ''] of projectText(file).matchAll(/```toml[^\n]*\n([\s\S]*?)```/g)) {
        const env = { NTFY_TOKEN: 'x', DISCORD_WEBHOOK: 'https://discord.com/x' }
        // Pages show parts: a profile that a part names may be in another one.
        const { problems } = readConfigText(text, { path: file, env, homeDirectory: '/home/ann' })
        assert.deepEqual(
          problems.filter(({ message }) => !message.includes('there is no such profile')),
          [],
          `${file}:\n${text}`,
        )
      }
  })
})
