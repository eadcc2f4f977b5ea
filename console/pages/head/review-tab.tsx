/** Predictions that were uncertain or unknown: a label from a person makes each an example. */
import { useState } from 'preact/hooks';
import type { ReviewItem } from '../../../src/api/review.ts';
import { useResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { useTask } from '../../state/task.ts';
import { Button } from '../../ui/button.tsx';
import { ago, percent } from '../../ui/format.ts';
import { CaptureSwitch } from './capture-switch.tsx';
import { Choice } from '../../ui/choice.tsx';
import { Failure, Loading } from '../../ui/notice.tsx';
import { Thumbnail } from '../../ui/thumbnail.tsx';
import type { TabProps } from './tab-props.ts';

export function ReviewTab({ name, detail, reload }: TabProps) {
  const queue = useResource((signal) => client().review(name, { signal }), [name]);
  const { error, run } = useTask();
  const say = (id: string, label: string | null): Promise<void> =>
    run(async () => {
      await client().feedback(name, { id, label });
      queue.reload();
      if (label !== null) reload();
    });
  const labels = detail?.classes.map(({ label }) => label) ?? [];
  return (
    <>
      <CaptureSwitch key={name} name={name} />
      {queue.error !== undefined && <Failure error={queue.error} onRetry={queue.reload} />}
      {queue.data === undefined && queue.error === undefined && <Loading what="the queue" />}
      {queue.data?.length === 0 && <NothingToReview />}
      {error !== undefined && <Failure error={error} />}
      {queue.data !== undefined && queue.data.length > 0 && (
        <section class="card stack">
          <p class="soft">
            The head was least sure of these, and a label would help it most. Say what they are, and they
            become examples.
          </p>
          <ul class="example-list">
            {queue.data.map((item) => (
              <ReviewRow
                key={item.id}
                item={item}
                labels={labels}
                onSay={(label) => void say(item.id, label)}
              />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function NothingToReview() {
  return (
    <div class="empty">
      <h2>Nothing to review</h2>
      <p>While capture is on, predictions that the head is unsure of wait here for a person’s word.</p>
    </div>
  );
}

interface ReviewRowProps {
  readonly item: ReviewItem;
  readonly labels: readonly string[];
  readonly onSay: (label: string | null) => void;
}

function ReviewRow({ item, labels, onSay }: ReviewRowProps) {
  const [first] = item.predictions;
  const [label, setLabel] = useState(first.label);
  const guesses = item.predictions.slice(0, 3).map((guess) => `${guess.label} ${percent(guess.score, 0)}`);
  return (
    <li class="example-row">
      <Thumbnail picture={item.picture} />
      <p class="break">
        {item.unknown.is_unknown && (
          <span class="badge" data-tone="warn">
            unknown
          </span>
        )}{' '}
        {guesses.join(', ')} <span class="soft small">· {ago(item.created_at)}</span>
      </p>
      <span class="row">
        <Choice
          name="What it is"
          options={labels.map((each) => ({ value: each, text: each }))}
          value={label}
          onChoose={setLabel}
        />
        <Button size="small" icon="check" onClick={() => onSay(label)}>
          Teach
        </Button>
        <Button size="small" kind="plain" icon="close" label="Leave it" onClick={() => onSay(null)} />
      </span>
    </li>
  );
}
