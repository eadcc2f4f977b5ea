/** Makes a key and shows it, once. */
import { useState } from 'preact/hooks';
import type { Scope } from '../../src/api/index.ts';
import { client } from '../state/session.ts';
import { Button } from '../ui/button.tsx';
import { CodeBlock } from '../ui/code-block.tsx';
import { Dialog, FormDialog } from '../ui/dialog.tsx';

const SCOPES: readonly { readonly scope: Scope; readonly means: string }[] = [
  { scope: 'read', means: 'classify pictures, look at heads' },
  { scope: 'write', means: 'teach, change and delete heads' },
  { scope: 'admin', means: 'make and revoke keys' },
];

export function NewKeyDialog({ onClose }: { readonly onClose: () => void }) {
  const [made, setMade] = useState<string>();
  if (made === undefined) return <KeyForm onMade={setMade} onClose={onClose} />;
  return (
    <Dialog title="Your new key" onClose={onClose}>
      <p class="soft">Copy it now: it is stored as a hash only, and can’t be shown again.</p>
      <CodeBlock code={made} label="API key" />
      <div class="dialog-actions">
        <Button kind="main" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}

interface FormProps {
  readonly onMade: (key: string) => void;
  readonly onClose: () => void;
}

function KeyForm({ onMade, onClose }: FormProps) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['read']);
  return (
    <FormDialog
      title="New key"
      action="Make the key"
      disabled={scopes.length === 0}
      onClose={onClose}
      onSubmit={async () => onMade((await client().createKey(name, scopes)).key)}
    >
      <div class="field">
        <label for="key-name">Name</label>
        <input
          id="key-name"
          class="input"
          required
          maxLength={100}
          autoComplete="off"
          placeholder="Camera at the gate"
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </div>
      <fieldset class="stack-s">
        <legend class="label">It may</legend>
        {SCOPES.map(({ scope, means }) => (
          <label class="check" key={scope}>
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={({ currentTarget }) =>
                setScopes(
                  currentTarget.checked ? [...scopes, scope] : scopes.filter((other) => other !== scope),
                )
              }
            />
            <span>
              <strong>{scope}</strong> <span class="soft">{means}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}
