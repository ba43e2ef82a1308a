/** What is shown when the session has ended: after a day, or because the node was started again. */

import { Button } from '../parts/button.tsx'

/** How to get in again. */
export function SignedOut() {
  return (
    <main class="door">
      <img src="icon.svg" alt="" width="48" height="48" />
      <h1>Your session has ended</h1>
      <p>
        A browser is let in for one day, or until the node is started again. Nothing is lost: backups go on
        without this page.
      </p>
      <p>To come back, run this on the machine of the node, and open the link that it prints:</p>
      <pre>
        <code>cellar dashboard</code>
      </pre>
      <Button kind="main" onClick={() => window.location.reload()}>
        I opened the link: go on
      </Button>
    </main>
  )
}
