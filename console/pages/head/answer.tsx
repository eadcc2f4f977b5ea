/** What a head says about a picture. */
import type { Classification } from '../../../src/api/index.ts';
import { ProbabilityBars } from '../../charts/probability-bars.tsx';
import { percent } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';

export function Answer({ answer }: { readonly answer: Classification }) {
  const { predictions, unknown, image, version } = answer;
  const top = predictions[0];
  return (
    <>
      <div class="stack-s">
        <p class="soft small">{unknown.is_unknown ? 'Probably none of its classes' : 'This is'}</p>
        <p class="verdict" data-unknown={unknown.is_unknown ? true : undefined}>
          {unknown.is_unknown ? 'Unknown' : top?.label}
        </p>
      </div>
      {unknown.is_unknown && (
        <Notice tone="warn">
          This picture is unlike those that the head was taught. The nearest is {top?.label}, at{' '}
          {percent(top?.score ?? 0)}.
        </Notice>
      )}
      <ProbabilityBars predictions={predictions} unknown={unknown.is_unknown} />
      <p class="soft small">
        Version {version} · {image.width} × {image.height} {image.format.toUpperCase()}
      </p>
    </>
  );
}
