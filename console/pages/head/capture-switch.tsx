/** Whether uncertain predictions are kept for review. */
import { useState } from 'preact/hooks';
import { useResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { Failure } from '../../ui/notice.tsx';

export function CaptureSwitch({ name }: { readonly name: string }) {
  const { data, error, reload } = useResource((signal) => client().settings(name, { signal }), [name]);
  const [refused, setRefused] = useState<unknown>();
  /** Shown at once: until the settings are read again, what they said before would turn the switch back. */
  const [chosen, setChosen] = useState<boolean>();
  if (error !== undefined) return <Failure error={error} onRetry={reload} />;
  if (data === undefined) return null;
  const choose = async (capture: boolean): Promise<void> => {
    setRefused(undefined);
    setChosen(capture);
    try {
      await client().configure(name, { ...data, capture });
    } catch (failure) {
      setRefused(failure);
      setChosen(undefined);
    }
    reload();
  };
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
      {refused !== undefined && <Failure error={refused} />}
    </div>
  );
}
