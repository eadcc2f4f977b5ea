/** Messages in the page: that something failed, that something is worth knowing, that something loads. */
import type { ComponentChildren } from 'preact';
import { ApiError } from '../../sdk/client.ts';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';

interface NoticeProps {
  readonly tone?: 'info' | 'warn' | 'bad';
  readonly children: ComponentChildren;
}

export function Notice({ tone = 'info', children }: NoticeProps) {
  return (
    <div class="notice" data-tone={tone} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon name={tone === 'info' ? 'info' : 'warn'} />
      <div class="stack-s break">{children}</div>
    </div>
  );
}

/** What went wrong, in the words of whoever noticed it, and a way to try again. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  return (
    <Notice tone="bad">
      <p>{messageOf(error)}</p>
      {onRetry && (
        <div>
          <Button size="small" onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
    </Notice>
  );
}

/** In the words of someone at this page, where the error's own are for programs. */
function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  switch (error.code) {
    case 'unauthorized':
      return 'This key is not known here, or was revoked. Keys begin with hw_.';
    case 'forbidden':
      return `${error.message} Sign in with a key that has the scope.`;
    case 'unreachable':
      return `${location.host} can’t be reached. Check the connection, and try again.`;
    default:
      return error.message;
  }
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <div class="row soft" role="status">
      <span class="spinner" aria-hidden="true" />
      Loading {what} …
    </div>
  );
}
