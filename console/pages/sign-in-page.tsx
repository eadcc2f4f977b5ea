/** Signing in with an API key. */
import { useState } from 'preact/hooks';
import { signIn, workerUrl } from '../state/session.ts';
import { useTask } from '../state/task.ts';
import { Button } from '../ui/button.tsx';
import { Form } from '../ui/dialog.tsx';
import { Failure } from '../ui/notice.tsx';

export function SignInPage() {
  const [key, setKey] = useState('');
  const { busy, error, run } = useTask();
  return (
    <main class="sign-in">
      <div class="sign-in-card card stack">
        <img src="./icon.svg" alt="" width="44" height="44" />
        <div class="stack-s">
          <h1>Headwater</h1>
          <p class="soft">Show it a few pictures. It tells them apart a moment later.</p>
        </div>
        <Form onSubmit={() => void run(() => signIn(key.trim()))}>
          <div class="field">
            <label for="key">API key</label>
            <input
              id="key"
              class="input"
              type="password"
              required
              autoComplete="current-password"
              spellcheck={false}
              placeholder="hw_…"
              aria-describedby="key-hint"
              value={key}
              onInput={(event) => setKey(event.currentTarget.value)}
            />
            <p class="hint" id="key-hint">
              Kept in this tab only, and forgotten when you close it.
            </p>
          </div>
          {error !== undefined && <Failure error={error} />}
          <Button type="submit" kind="main" busy={busy}>
            {busy ? 'Signing in …' : 'Sign in'}
          </Button>
        </Form>
        <details class="small">
          <summary>No key yet?</summary>
          <p class="soft">
            Whoever runs this Worker knows its admin secret, and makes you an account with it:
          </p>
          <pre class="code" tabIndex={0}>{`curl ${workerUrl.origin}/v1/tenants \\
  -H "Authorization: Bearer $HEADWATER_ADMIN_SECRET" \\
  -H "Content-Type: application/json" \\
  -d '{"name": "Your name"}'`}</pre>
        </details>
      </div>
    </main>
  );
}
