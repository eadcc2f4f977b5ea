/** Lets a version answer a part of the requests. */
import { useState } from 'preact/hooks';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';

interface CanaryDialogProps {
  readonly version: number;
  readonly onChoose: (percent: number) => void;
  readonly onClose: () => void;
}

export function CanaryDialog({ version, onChoose, onClose }: CanaryDialogProps) {
  const [percent, setPercent] = useState(10);
  return (
    <Dialog title={`Canary: version ${version}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
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
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="main" type="submit">
            Start
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
