/** Whether 80 % sure means right 80 % of the time: for each bin of confidence, how often the answer was right. */
import type { ReliabilityBin } from '../../src/api/report.ts';
import { percent } from '../ui/format.ts';

const SIZE = 240;
const MARGIN = 40;
const EDGE = 14;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

const at = (share: number): number => MARGIN + share * (SIZE - MARGIN - EDGE);
const up = (share: number): number => SIZE - at(share);

interface Props {
  readonly bins: readonly ReliabilityBin[];
  readonly ece: number;
}

export function ReliabilityDiagram({ bins, ece }: Props) {
  const used = bins.filter((bin) => bin.count > 0);
  const largest = Math.max(1, ...used.map((bin) => bin.count));
  const name = `Reliability diagram. ${used
    .map((bin) => `${percent(bin.confidence, 0)} sure: ${percent(bin.accuracy, 0)} right of ${bin.count}`)
    .join('; ')}. Calibration error ${percent(ece)}.`;
  return (
    <svg class="chart chart-square" viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={name}>
      {TICKS.map((tick) => (
        <g key={tick}>
          <line class="chart-grid" x1={at(0)} x2={at(1)} y1={up(tick)} y2={up(tick)} />
          <text x={MARGIN - 6} y={up(tick) + 3.5} text-anchor="end">
            {100 * tick}
          </text>
          <text x={at(tick)} y={SIZE - MARGIN + 16} text-anchor="middle">
            {100 * tick}
          </text>
        </g>
      ))}
      {used.map((bin) => (
        <rect
          key={bin.low}
          class="chart-bar"
          x={at(bin.low) + 1}
          width={at(bin.high) - at(bin.low) - 2}
          y={up(bin.accuracy)}
          height={up(0) - up(bin.accuracy)}
          // Bins with few pictures say little.
          opacity={0.3 + 0.7 * Math.sqrt(bin.count / largest)}
        />
      ))}
      <line class="chart-ideal" x1={at(0)} y1={up(0)} x2={at(1)} y2={up(1)} />
      <text x={at(0.5)} y={SIZE - 2} text-anchor="middle">
        % sure
      </text>
      <text x={-up(0.5)} y={10} text-anchor="middle" transform="rotate(-90)">
        % right
      </text>
    </svg>
  );
}
