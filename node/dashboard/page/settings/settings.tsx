/** What is in force on this device and where it comes from; what is harmless can be changed. */

import { useState } from 'preact/hooks'
import type { SettingInForce, SettingsInForce } from '../../../api.ts'
import { useAsk } from '../ask.ts'
import { refresh } from '../live.ts'
import { Button } from '../parts/button.tsx'
import { countText } from '../parts/format.ts'
import { Prose } from '../parts/prose.tsx'
import { Failed, Notice, Screen, Section } from '../parts/screen.tsx'
import { ChangeSetting } from './change.tsx'
import { type Group, groupsOf, nameOf, originText, valueText } from './groups.ts'

/** The screen at `#/settings`. */
export function SettingsScreen() {
  const { value, error, again } = useAsk('settings', {})
  const [changing, setChanging] = useState<SettingInForce>()
  return (
    <Screen
      title="Settings"
      sentence={value === undefined ? undefined : sentenceOf(value)}
      tone={value?.problem === undefined ? 'plain' : 'bad'}
      todo={
        value !== undefined && (
          <>
            The file is <code>{value.path}</code>. What runs programs, opens places to listen at, says where
            things are or is secret is changed there only: <code>cellar config edit</code>.
          </>
        )
      }
    >
      {error !== undefined && <Failed error={error} again={again} />}
      {value?.problem !== undefined && (
        <Notice tone="bad">
          <p>The file has a mistake: {value.problem}</p>
          <p class="hint">
            What is shown is what the node read before. Until it is mended, nothing can be changed here.
          </p>
        </Notice>
      )}
      {value !== undefined &&
        groupsOf(value.settings).map((group) => (
          <GroupSection
            key={group.title}
            group={group}
            mayChange={value.problem === undefined}
            onChange={setChanging}
          />
        ))}
      {changing !== undefined && (
        <ChangeSetting
          key={changing.key}
          setting={changing}
          onClose={() => setChanging(undefined)}
          onDone={() => {
            setChanging(undefined)
            again()
            void refresh()
          }}
        />
      )}
    </Screen>
  )
}

function sentenceOf({ settings, problem }: SettingsInForce): string {
  if (problem !== undefined) return 'The file of settings has a mistake, so an older state of it is in force.'
  const own = settings.filter(({ origin }) => origin?.startsWith('line ') === true).length
  if (own === 0) return 'Nothing is set: everything is as it is by default.'
  return `${countText(own, 'setting')} ${own === 1 ? 'is' : 'are'} yours; everything else is as it is by default.`
}

function GroupSection(props: {
  readonly group: Group
  readonly mayChange: boolean
  readonly onChange: (setting: SettingInForce) => void
}) {
  const { group, mayChange, onChange } = props
  const [isAll, setAll] = useState(false)
  const said = group.settings.filter(({ value }) => value !== undefined)
  const own = said.filter(({ origin }) => origin !== 'default')
  // What nobody has touched is many lines: it waits until somebody asks.
  const shown = isAll ? group.settings : own.length > 0 ? own : said.slice(0, 4)
  const hidden = group.settings.length - shown.length
  const more = isAll ? 'Show less' : `Show ${countText(hidden, 'more setting', 'more settings')}`
  return (
    <Section title={group.title} hint={group.hint}>
      <dl class="settings">
        {shown.map((setting) => (
          <div key={setting.key} class="setting">
            <dt>
              <code>{nameOf(setting)}</code>
              <span class="hint">
                <Prose text={setting.about} />
              </span>
            </dt>
            <dd>
              <span class={setting.value === undefined ? 'value unset' : 'value'}>
                {valueText(setting.value)}
              </span>
              <span class="beneath">{originText(setting.origin)}</span>
            </dd>
            <dd class="setting-button">
              {setting.changeable && mayChange && (
                <Button label={`Change ${setting.key}`} onClick={() => onChange(setting)}>
                  Change
                </Button>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {(hidden > 0 || isAll) && (
        <Button kind="quiet" label={`${more} of ${group.title}`} onClick={() => setAll(!isAll)}>
          {more}
        </Button>
      )}
    </Section>
  )
}
