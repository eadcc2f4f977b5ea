/** How far work is. `busy` shows that it goes on where no number tells. */

interface ProgressBarProps {
  readonly label: string;
  readonly value: number;
  readonly max: number;
  readonly busy: boolean;
}

export function ProgressBar({ label, value, max, busy }: ProgressBarProps) {
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={max}
      aria-valuenow={value}
      data-busy={busy ? true : undefined}
    >
      <span style={{ width: `${max === 0 ? 0 : (100 * value) / max}%` }} />
    </div>
  );
}
