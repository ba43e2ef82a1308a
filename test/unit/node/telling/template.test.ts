import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isCellarError } from '../../../../protocol/index.ts'
import {
  escapeFor,
  fillIn,
  inHeader,
  inHtml,
  inJson,
  inUrl,
  parseTemplate,
  plain,
} from '../../../../node/telling/template.ts'
import { FIELDS, type FieldValues, fieldsJson, fieldsOf } from '../../../../node/telling/tiding.ts'
import { TELLER, tiding } from './fixtures.ts'

const values = fieldsOf(tiding({ title: 'say "hi"\nnow', profile: 'photos' }), TELLER)

describe('templates of hooks', () => {
  it('fill in what is named, and nothing where there is nothing', () => {
    assert.equal(fillIn('{{device}}: {{ profile }}|{{code}}|', values, plain), 'laptop: photos||')
  })

  it('have parts that are there only with, or only without, a value', () => {
    const text =
      '{{#profile}}of {{profile}}{{#code}} ({{code}}){{/code}}{{/profile}}{{^code}}, no code{{/code}}'
    assert.equal(fillIn(text, values, plain), 'of photos, no code')
  })

  it('refuse a name that does not exist, and say which there are', () => {
    assert.throws(
      () => parseTemplate('{{mesage}}'),
      (error) => isCellarError(error, 'CONFIG_INVALID') && /"mesage".*message/.test(error.message),
    )
  })

  for (const text of [
    '{{#code}}',
    '{{/code}}',
    '{{#code}}{{/title}}',
    '{{#code}}{{#title}}{{/code}}{{/title}}',
  ])
    it(`refuse parts that do not end where they should: ${text}`, () => {
      assert.throws(() => parseTemplate(text), { code: 'CONFIG_INVALID' })
    })

  it('leave braces alone that name nothing', () => {
    assert.equal(fillIn('{"a": {"b": 1}}', values, inJson), '{"a": {"b": 1}}')
  })

  it('TE1.6: a value breaks out of nothing that surrounds it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (title) => {
        const filled: FieldValues = { ...values, title }
        const wellFormed = title.toWellFormed()
        const json = JSON.parse(fillIn('{"content": "<{{title}}>"}', filled, inJson)) as { content: string }
        assert.equal(json.content, `<${title}>`)
        assert.match(inHeader(title), /^[\u0020-\u007e]*$/)
        assert.equal(inHtml(title).match(/[<>"']/), null)
        if (title === wellFormed) {
          const url = new URL(fillIn('https://example.org/a/{{title}}?q={{title}}#end', filled, inUrl))
          assert.equal(url.searchParams.get('q'), title)
          assert.equal(url.hash, '#end')
        }
      }),
      {
        examples: [
          ['<b a="x" b=\'y\'>&amp;'],
          ['"}],"x":[{"'],
          ['a\r\nBcc: all@example.org'],
          ['../../x?y#z'],
          ['{{code}}'],
        ],
      },
    )
  })

  it('write values as the type of the content says, or as the body looks', () => {
    assert.equal(escapeFor('application/json; charset=utf-8', ''), inJson)
    assert.equal(escapeFor('application/vnd.x+json', ''), inJson)
    assert.equal(escapeFor('application/x-www-form-urlencoded', ''), inUrl)
    assert.equal(escapeFor('text/html', ''), inHtml)
    assert.equal(escapeFor('text/plain', '{"a"'), plain)
    assert.equal(escapeFor(undefined, ' {"a": 1}'), inJson)
    assert.equal(escapeFor(undefined, '{{message}}'), plain)
    assert.equal(escapeFor(undefined, 'text'), plain)
  })

  it('TE1.2: what is sent without a template has no detail, which may name files', () => {
    const fields = fieldsOf(tiding({ detail: '/home/ann/letter.txt: EACCES' }), TELLER)
    assert.equal(fields.detail, '/home/ann/letter.txt: EACCES')
    const sent = JSON.parse(fieldsJson(fields)) as Record<string, string>
    assert.equal(sent['detail'], undefined)
    assert.equal(sent['title'], 'Something happened')
    assert.equal(sent['device'], 'laptop')
  })

  it('know all that is documented, and bound what comes from others', () => {
    const fields = fieldsOf(tiding({ message: 'x'.repeat(10_000) }), TELLER)
    assert.deepEqual(Object.keys(fields).sort(), Object.keys(FIELDS).sort())
    assert.equal(fields.message.length, 1500)
  })
})
