/** Whether uncertain predictions are kept for review. */
import { useState } from 'preact/hooks';
import { useResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { useTask } from '../../state/task.ts';
import { Failure } from '../../ui/notice.tsx';

export function CaptureSwitch({ name }: { readonly name: string }) {
  const { data, error, reload } = useResource((signal) => client().settings(name, { signal }), [name]);
  const task = useTask();
  /** Shown at once: until the settings are read again, what they said before would turn the switch back. */
  const [chosen, setChosen] = useState<boolean>();
  if (error !== undefined) return <Failure error={error} onRetry={reload} />;
  if (data === undefined) return null;
  const choose = (capture: boolean): Promise<void> =>
    task.run(async () => {
      setChosen(capture);
      try {
        await client().configure(name, { ...data, capture });
      } catch (failure) {
        setChosen(undefined);
        throw failure;
      } finally {
        reload();
      }
    });
  return (
    <div class="stack-s">
      <label class="check">
        <input
          type="checkbox"
          checked={chosen ?? data.capture}
          onChange={({ currentTarget }) => void choose(currentTarget.checked)}
        />
        <span>
          <strong>Capture</strong>{' '}
          <span class="soft">
            Keep the codes of uncertain and unknown pictures, never the pictures, for review.
          </span>
        </span>
      </label>
      {task.error !== undefined && <Failure error={task.error} />}
    </div>
  );
}
