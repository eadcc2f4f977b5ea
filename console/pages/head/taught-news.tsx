/** What a teach request brought about. */
import type { Taught } from '../../../sdk/client.ts';
import { link } from '../../state/router.ts';
import { count, percent } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';

export function TaughtNews({ head, taught }: { readonly head: string; readonly taught: Taught }) {
  const { version, current, held_back: heldBack, missing } = taught;
  if (version === undefined) {
    return (
      <Notice>
        <p role="status">The pictures are stored. {missing}</p>
      </Notice>
    );
  }
  return (
    <Notice tone={current === false ? 'warn' : 'info'}>
      <p role="status">
        <strong>{current === false ? `Version ${version} waits.` : `Version ${version} is in use.`}</strong>{' '}
        {heldBack} <Gained taught={taught} />
      </p>
      <p>
        <a href={link('heads', head, 'quality')}>See how good it is</a>,{' '}
        <a href={link('heads', head, 'try')}>try it</a>, or{' '}
        <a href={link('heads', head, 'versions')}>compare it with others</a>.
      </p>
    </Notice>
  );
}

function Gained({ taught }: { readonly taught: Taught }) {
  const { added = 0, duplicates = 0, leave_one_out: metrics, changes } = taught;
  const parts = [count(added, 'new example')];
  if (duplicates > 0) parts.push(`${duplicates} known already`);
  if (metrics) parts.push(`${percent(metrics.accuracy)} accuracy${against(changes?.accuracy)}`);
  return <>{parts.join(', ')}.</>;
}

/** @param gain in accuracy, as a fraction. */
function against(gain: number | undefined): string {
  if (gain === undefined) return '';
  const points = Math.abs(100 * gain).toFixed(1);
  return ` (${gain < 0 ? '−' : '+'}${points} points)`;
}
