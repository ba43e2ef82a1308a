/** Mail, handed to a real server of this machine. */

import assert from 'node:assert/strict'
import { postMail } from '../../../../node/adapters/post-mail.ts'
import { letterOf } from '../../../../node/telling/channels.ts'
import { isCellarError } from '../../../../protocol/index.ts'
import { MailReceiver } from '../../../tools/receivers.ts'
import { TELLER, tiding } from './fixtures.ts'

const never = new AbortController().signal
const letter = {
  from: 'Rootcellar <cellar@example.org>',
  to: ['ann@example.org', 'bob@example.org'],
  subject: 'Sicherung „Fotos“ schlug fehl',
  text: 'Eine Zeile.\nNoch eine: ä.\n',
}

describe('mail', () => {
  let receiver: MailReceiver | undefined
  afterEach(async () => {
    await receiver?.close()
    receiver = undefined
  })

  it('reaches everybody, marked as sent by a machine', async () => {
    receiver = await MailReceiver.open()
    const { answer } = await postMail(letter, { smtp: smtp(receiver), password: undefined }, never)
    assert.match(answer, /^127\.0\.0\.1 said 250/)
    const [mail] = receiver.mails
    assert.deepEqual([mail?.from, mail?.to], ['cellar@example.org', ['ann@example.org', 'bob@example.org']])
    assert.match(mail?.text ?? '', /^Auto-Submitted: auto-generated\r$/m)
    assert.match(mail?.text ?? '', /^Subject: =\?UTF-8\?/m)
  })

  it('says who sends where there is a user, and tells a wrong password from a passing fault', async () => {
    receiver = await MailReceiver.open({
      authMethods: ['PLAIN', 'LOGIN'],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) => {
        if (username === 'ann' && password === 'wörd') done(null, { user: 'ann' })
        else done(new Error('no'))
      },
    })
    const post = { smtp: smtp(receiver, 'ann@'), password: 'wörd' }
    await postMail(letter, post, never)
    assert.equal(receiver.mails[0]?.user, 'ann')
    await assert.rejects(postMail(letter, { ...post, password: 'other' }, never), (error) => {
      assert.ok(isCellarError(error, 'HOOK_FAILED'))
      assert.equal(error.context['permanent'], true)
      assert.doesNotMatch(error.message, /other/)
      return true
    })
  })

  it('TE1.5: no password goes over a connection without encryption to another machine', async () => {
    receiver = await MailReceiver.open({
      hideSTARTTLS: true,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => {
        done(null, { user: 'ann' })
      },
    })
    // A name that leads to this machine, but does not say so.
    const there = smtp(receiver, 'ann@').replace('127.0.0.1', '0.0.0.0')
    await assert.rejects(postMail(letter, { smtp: there, password: 'word' }, never), { code: 'HOOK_FAILED' })
    assert.equal(receiver.mails.length, 0)
  })

  it('TE1.5: nor over one whose other end cannot show who it is', async () => {
    // The certificate that comes with the server of the test is for another name, and out of date.
    receiver = await MailReceiver.open({
      onAuth: (_auth, _session, done) => {
        done(null, { user: 'ann' })
      },
    })
    const there = smtp(receiver, 'ann@').replace('127.0.0.1', '0.0.0.0')
    await assert.rejects(postMail(letter, { smtp: there, password: 'word' }, never), {
      code: 'HOOK_FAILED',
      message: /certificate/,
    })
    assert.equal(receiver.mails.length, 0)
  })

  it('is refused for good, or for now', async () => {
    let code = 550
    receiver = await MailReceiver.open({
      authOptional: true,
      onRcptTo: (_to, _session, done) => {
        done(Object.assign(new Error('not here'), { responseCode: code }))
      },
    })
    const post = { smtp: smtp(receiver), password: undefined }
    const isPermanent = async () =>
      await postMail(letter, post, never).then(
        () => undefined,
        (error: unknown) => isCellarError(error) && error.context['permanent'],
      )
    assert.equal(await isPermanent(), true)
    code = 450
    assert.equal(await isPermanent(), false)
  })

  it('says so when nobody is there', async () => {
    receiver = await MailReceiver.open()
    const post = { smtp: smtp(receiver), password: undefined }
    await receiver.close()
    receiver = undefined
    await assert.rejects(postMail(letter, post, never), (error) => {
      return isCellarError(error, 'HOOK_FAILED') && error.context['permanent'] !== true
    })
  })

  it('has one line as subject, whatever a device is called', () => {
    const { subject, text } = letterOf(
      tiding({ title: 'a\r\nBcc: all@example.org', again: 3, detail: 'x' }),
      TELLER,
    )
    assert.equal(subject, '[rootcellar] a Bcc: all@example.org')
    assert.match(text, /What: x\n/)
    assert.match(text, /happened again: 3 times/)
  })
})

function smtp(receiver: MailReceiver, user = ''): string {
  return `smtp://${user}127.0.0.1:${String(receiver.port)}`
}
