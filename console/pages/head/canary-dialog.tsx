/** Lets a version answer a part of the requests. */
import { useState } from 'preact/hooks';
import { FormDialog } from '../../ui/dialog.tsx';

interface CanaryDialogProps {
  readonly version: number;
  readonly onChoose: (percent: number) => void;
  readonly onClose: () => void;
}

export function CanaryDialog({ version, onChoose, onClose }: CanaryDialogProps) {
  const [percent, setPercent] = useState(10);
  return (
    <FormDialog
      title={`Canary: version ${version}`}
      action="Start"
      onClose={onClose}
      onSubmit={async () => {
        onChoose(percent);
        onClose();
      }}
    >
      <div class="field">
        <label for="canary-share">Share of the requests that it answers: {percent} %</label>
        <input
          id="canary-share"
          type="range"
          min={1}
          max={99}
          value={percent}
          onInput={({ currentTarget }) => setPercent(currentTarget.valueAsNumber)}
        />
      </div>
      <p class="hint">The version in use answers the others.</p>
    </FormDialog>
  );
}
