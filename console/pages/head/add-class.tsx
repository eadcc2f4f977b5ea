/** Names a new class. */
import { useId, useState } from 'preact/hooks';
import { MAX_LABEL_LENGTH } from '../../../src/head/limits.ts';
import { Button } from '../../ui/button.tsx';
import { Form } from '../../ui/dialog.tsx';

interface AddClassProps {
  readonly taken: readonly string[];
  readonly onAdd: (label: string) => void;
}

export function AddClass({ taken, onAdd }: AddClassProps) {
  const id = useId();
  const [label, setLabel] = useState('');
  const [fault, setFault] = useState<string>();
  const submit = (): void => {
    const wanted = label.trim();
    if (wanted === '') return;
    if (taken.includes(wanted)) {
      setFault('This class is there already.');
      return;
    }
    onAdd(wanted);
    setLabel('');
  };
  return (
    <Form class="add-class stack" onSubmit={submit}>
      <div class="field">
        <label for={id}>{taken.length === 0 ? 'First class' : 'Another class'}</label>
        <input
          id={id}
          class="input"
          autoComplete="off"
          maxLength={MAX_LABEL_LENGTH}
          placeholder={taken.length === 0 ? 'for example: cat' : 'for example: none of these'}
          aria-invalid={fault !== undefined}
          aria-describedby={fault === undefined ? undefined : `${id}-fault`}
          value={label}
          onInput={({ currentTarget }) => {
            setLabel(currentTarget.value);
            setFault(undefined);
          }}
        />
        {fault !== undefined && (
          <p class="fault" id={`${id}-fault`} role="alert">
            {fault}
          </p>
        )}
      </div>
      <Button type="submit" icon="plus">
        Add class
      </Button>
    </Form>
  );
}
