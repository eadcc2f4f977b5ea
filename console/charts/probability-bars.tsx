/** Labels with their probabilities, the most probable first. */
import type { HeadAnswer } from '../../src/api/index.ts';
import { percent } from '../ui/format.ts';

interface Props {
  readonly predictions: HeadAnswer['predictions'];
  /** The picture is probably none of them: then no bar stands out. */
  readonly unknown: boolean;
  /** Makes a label a button that shows where its score comes from. */
  readonly onExplain?: ((label: string) => void) | undefined;
  readonly explained?: string | undefined;
}

export function ProbabilityBars({ predictions, unknown, onExplain, explained }: Props) {
  return (
    <ol class="bars" aria-label="Predictions">
      {predictions.map(({ label, score }, i) => (
        <li key={label} data-top={i === 0 && !unknown ? true : undefined}>
          {onExplain ? (
            <button
              type="button"
              class="bars-label break"
              aria-pressed={label === explained}
              title={`Show what speaks for ${label}`}
              onClick={() => onExplain(label)}
            >
              {label}
            </button>
          ) : (
            <span class="break">{label}</span>
          )}
          <span class="bars-value number">{percent(score)}</span>
          <span class="bars-track" aria-hidden="true">
            <span style={{ width: `${100 * score}%` }} />
          </span>
        </li>
      ))}
    </ol>
  );
}
