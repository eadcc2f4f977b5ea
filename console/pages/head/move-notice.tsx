/** A head that was made on an older backbone: what can be done about it, how far that is, and what came of it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { HeadDetail, Rebase } from '../../../src/api/index.ts';
import { useResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { Button } from '../../ui/button.tsx';
import { count, percent } from '../../ui/format.ts';
import { Failure, Notice } from '../../ui/notice.tsx';
import { ProgressBar } from '../../ui/progress-bar.tsx';

interface MoveNoticeProps {
  readonly name: string;
  readonly detail: HeadDetail;
  readonly reload: () => void;
}

/** The last step trains the head. */
const STEP_TIMEOUT_MS = 300_000;

export function MoveNotice({ name, detail, reload }: MoveNoticeProps) {
  // Where it can't be known, there is nothing to say.
  const { data, reload: lookAgain } = useResource(
    (signal) => client().rebaseProgress(name, { signal }),
    [name, detail],
  );
  const [now, setNow] = useState<Rebase>();
  const [error, setError] = useState<unknown>();
  const moving = useRef<AbortController>(undefined);
  const [isMoving, setIsMoving] = useState(false);
  useEffect(() => () => moving.current?.abort(), [name]);

  const run = async (work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    const controller = new AbortController();
    moving.current = controller;
    setError(undefined);
    setIsMoving(true);
    try {
      await work(controller.signal);
    } catch (failure) {
      if (!controller.signal.aborted) setError(failure);
    }
    setIsMoving(false);
    lookAgain();
  };
  const move = () =>
    run(async (signal) => {
      for (let step = now; step?.state !== 'done' && !signal.aborted; setNow(step))
        step = await client().rebase(name, { signal, timeoutMs: STEP_TIMEOUT_MS });
      reload();
    });
  const giveUp = () =>
    run(async (signal) => {
      await client().giveUpRebase(name, { signal });
      setNow(undefined);
    });

  if (now?.state === 'done') return <Moved progress={now} />;
  const progress = isMoving ? (now ?? data) : data;
  if (progress === undefined || progress.state === 'done') return null;
  return (
    <Notice>
      <p>
        <strong>Made on an older backbone.</strong> This head works as before. {whatNow(progress)}
      </p>
      {error !== undefined && <Failure error={error} />}
      {progress.state === 'under_way' && <Bar progress={progress} busy={isMoving} />}
      <div class="row">
        {isMoving ? (
          <Button size="small" onClick={() => moving.current?.abort()}>
            Pause
          </Button>
        ) : (
          progress.obstacle === undefined && (
            <Button size="small" kind="main" onClick={() => void move()}>
              {progress.state === 'under_way' ? 'Go on' : 'Move it'}
            </Button>
          )
        )}
        {!isMoving && progress.state === 'under_way' && (
          <Button size="small" onClick={() => void giveUp()}>
            Give up
          </Button>
        )}
      </div>
    </Notice>
  );
}

/** In plain words; the Worker's own are for programs. */
function whatNow({ to, total, missing_pictures: missing, obstacle }: Rebase): string {
  if (missing > 0)
    return `It can’t be moved to ${to.name}: ${missing} of its ${count(total, 'example')} have no picture here. Switch keep_images on (PUT /v1/settings with an admin key), and teach these pictures again.`;
  if (obstacle !== undefined) return `It can’t be moved to ${to.name}. ${obstacle}`;
  return `You can move it to ${to.name}, which may be more accurate: its ${count(total, 'picture')} are read again. Until that is done, nothing changes.`;
}

function Bar({ progress: { done, total }, busy }: { readonly progress: Rebase; readonly busy: boolean }) {
  const isTraining = busy && done === total;
  return (
    <>
      <p role="status" class="small">
        {isTraining ? 'Learning …' : `${done} of ${count(total, 'picture')} looked at`}
      </p>
      <ProgressBar label="Moving" value={done} max={total} busy={isTraining} />
    </>
  );
}

function Moved({ progress: { to, before, after } }: { readonly progress: Rebase }) {
  const [was, is] = [before?.leave_one_out, after?.leave_one_out];
  return (
    <Notice>
      <p role="status">
        <strong>Moved to {to.name}.</strong>{' '}
        {was && is && `Accuracy before: ${percent(was.accuracy)}. Now: ${percent(is.accuracy)}.`}{' '}
        {before && `To go back, use version ${before.version}, on the tab Versions.`}
      </p>
    </Notice>
  );
}
