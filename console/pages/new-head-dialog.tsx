/** Names a new head. It comes into being when it is first taught. */
import { useState } from 'preact/hooks';
import { go } from '../state/router.ts';
import { FormDialog } from '../ui/dialog.tsx';

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export function NewHeadDialog({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [refused, setRefused] = useState(false);
  return (
    <FormDialog
      title="New head"
      action="Continue"
      onClose={onClose}
      onSubmit={async () => {
        if (NAME.test(name)) go('heads', name);
        else setRefused(true);
      }}
    >
      <div class="field">
        <label for="head-name">Name</label>
        <input
          id="head-name"
          class="input"
          autoComplete="off"
          autoCapitalize="none"
          spellcheck={false}
          maxLength={63}
          placeholder="recycling"
          aria-describedby="head-name-hint"
          aria-invalid={refused}
          value={name}
          onInput={({ currentTarget }) => {
            setName(currentTarget.value.toLowerCase().replaceAll(' ', '-'));
            setRefused(false);
          }}
        />
        <p class={refused ? 'fault' : 'hint'} id="head-name-hint" role={refused ? 'alert' : undefined}>
          Letters a to z, digits, dots, dashes and underscores, a letter or digit first. It is part of the
          address that your programs call.
        </p>
      </div>
    </FormDialog>
  );
}
