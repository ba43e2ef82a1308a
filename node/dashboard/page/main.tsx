/** Where the page begins. */

import { render } from 'preact'
import { App } from './app.tsx'
import { startBegun } from './begun.ts'
import { startLive } from './live.ts'
import { startRouter } from './router.ts'
import { startTheme } from './shell/theme.ts'

startTheme()
startRouter()
startLive()
startBegun()
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
