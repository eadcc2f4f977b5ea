/** The bar at the foot of the page: what waits to be taught, the button, and how far it is. */
import { useState } from 'preact/hooks';
import type { Taught } from '../../../sdk/client.ts';
import { teach, type TeachProgress } from '../../state/teaching.ts';
import type { StagedPicture } from '../../state/staged.ts';
import { Button } from '../../ui/button.tsx';
import { count } from '../../ui/format.ts';
import { ProgressBar } from '../../ui/progress-bar.tsx';
import { TeachFailure } from './teach-failure.tsx';

interface TeachBarProps {
  readonly head: string;
  readonly pictures: readonly StagedPicture[];
  readonly storedClasses: number;
  readonly onTaught: (answer: Taught) => void;
}

export function TeachBar({ head, pictures, storedClasses, onTaught }: TeachBarProps) {
  const [progress, setProgress] = useState<TeachProgress>();
  const [error, setError] = useState<unknown>();
  if (pictures.length === 0 && progress === undefined && error === undefined) return null;
  const start = async (): Promise<void> => {
    setError(undefined);
    setProgress({ phase: 'sending', share: 0 });
    try {
      const answer = await teach(head, pictures, setProgress);
      if (answer) onTaught(answer);
    } catch (failure) {
      setError(failure);
    } finally {
      setProgress(undefined);
    }
  };
  const classes = new Set(pictures.map(({ label }) => label)).size;
  const tooFew = storedClasses === 0 && classes < 2;
  return (
    <div class="teach-bar card stack-s">
      {error !== undefined && (
        <TeachFailure head={head} error={error} pictures={pictures} onSettled={() => setError(undefined)} />
      )}
      <div class="teach-bar-row">
        <p role="status">
          {progress === undefined
            ? `${count(pictures.length, 'new picture')} in ${count(classes, 'class', 'classes')}`
            : describe(progress)}
          {tooFew && progress === undefined && (
            <span class="soft"> · a second class is needed to tell it from</span>
          )}
        </p>
        <Button
          kind="main"
          icon="spark"
          busy={progress !== undefined}
          disabled={pictures.length === 0 && progress === undefined}
          onClick={() => void start()}
        >
          {tooFew ? 'Store' : 'Teach'}
        </Button>
      </div>
      {progress && (
        <ProgressBar
          label="Teaching"
          value={Math.round(100 * progress.share)}
          max={100}
          busy={progress.phase === 'training'}
        />
      )}
    </div>
  );
}

function describe({ phase, share }: TeachProgress): string {
  return phase === 'training' ? 'Looking and learning …' : `Sending … ${Math.round(100 * share)} %`;
}
