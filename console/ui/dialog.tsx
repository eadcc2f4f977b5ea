/** Modal dialogs on the platform's own <dialog>, which keeps the focus inside and gives it back. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { useTask } from '../state/task.ts';
import { Button } from './button.tsx';
import { Failure } from './notice.tsx';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

/** Open while it is mounted. */
export function Dialog({ title, onClose, wide = false, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class="dialog"
      data-wide={wide ? true : undefined}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div class="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface FormProps {
  readonly class?: string;
  readonly onSubmit: () => void;
  readonly children: ComponentChildren;
}

/** A form that the page itself takes in. */
export function Form({ class: name = 'stack', onSubmit, children }: FormProps) {
  return (
    <form
      class={name}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

interface FormDialogProps extends DialogProps {
  /** On the button that submits. */
  readonly action: string;
  readonly kind?: 'main' | 'danger';
  readonly disabled?: boolean;
  /** What submitting does; the dialog stays open, saying why, when it fails. */
  readonly onSubmit: () => Promise<void>;
}

export function FormDialog({
  title,
  action,
  kind = 'main',
  disabled,
  onSubmit,
  onClose,
  children,
}: FormDialogProps) {
  const { busy, error, run } = useTask();
  return (
    <Dialog title={title} onClose={onClose}>
      <Form onSubmit={() => void (busy || run(onSubmit))}>
        {children}
        {error !== undefined && <Failure error={error} />}
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind={kind} type="submit" busy={busy} disabled={disabled}>
            {action}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** Asks before what can't be undone. */
export function Confirm({ onSubmit, onClose, children, ...rest }: FormDialogProps) {
  const confirm = async (): Promise<void> => {
    await onSubmit();
    onClose();
  };
  return (
    <FormDialog {...rest} kind="danger" onSubmit={confirm} onClose={onClose}>
      <div class="soft">{children}</div>
    </FormDialog>
  );
}
