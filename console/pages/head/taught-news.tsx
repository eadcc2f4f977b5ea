/** What a teach request brought about. */
import type { Taught } from '../../../sdk/client.ts';
import { link } from '../../state/router.ts';
import { Notice } from '../../ui/notice.tsx';

export function TaughtNews({ head, taught }: { readonly head: string; readonly taught: Taught }) {
  if (taught.version === undefined) {
    return <Notice>The pictures are stored. With a second class, {head} begins to tell them apart.</Notice>;
  }
  return (
    <Notice>
      <p role="status">
        <strong>Version {taught.version} is in use.</strong>{' '}
        <a href={link('heads', head, 'quality')}>See how good it is</a> or{' '}
        <a href={link('heads', head, 'try')}>try it</a>.
      </p>
    </Notice>
  );
}
