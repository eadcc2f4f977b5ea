/** What a head says about a picture. */
import type { Classification } from '../../../src/api/index.ts';
import { ProbabilityBars } from '../../charts/probability-bars.tsx';
import { percent } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';

interface AnswerProps {
  readonly answer: Classification;
  readonly onExplain?: ((label: string) => void) | undefined;
}

export function Answer({ answer, onExplain }: AnswerProps) {
  const { predictions, unknown, image, version, explanation } = answer;
  const [top] = predictions;
  return (
    <>
      <div class="stack-s">
        <p class="soft small">{unknown.is_unknown ? 'Probably none of its classes' : 'This is'}</p>
        <p class="verdict" data-unknown={unknown.is_unknown ? true : undefined}>
          {unknown.is_unknown ? 'Unknown' : top.label}
        </p>
      </div>
      {unknown.is_unknown && (
        <Notice tone="warn">
          This picture is unlike those that the head was taught. The nearest is {top.label}, at{' '}
          {percent(top.score)}.
        </Notice>
      )}
      <ProbabilityBars
        predictions={predictions}
        unknown={unknown.is_unknown}
        onExplain={onExplain}
        explained={explanation?.label}
      />
      {onExplain && (
        <p class="soft small">
          Choose a label to see what in the picture speaks against it{' '}
          <span class="scale" aria-hidden="true" /> and for it.
        </p>
      )}
      {explanation?.exact === false && (
        <p class="soft small">The heat-map is approximate: this head’s fine-tuned layers show no places.</p>
      )}
      <p class="soft small">
        Version {version} · {image.width} × {image.height} {image.format.toUpperCase()}
      </p>
    </>
  );
}
