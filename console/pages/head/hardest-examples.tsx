/** Examples whose label the head does not believe: probably mislabelled, or hard. Each is put right with a click. */
import { useState } from 'preact/hooks';
import type { HardExample, VersionReport } from '../../../src/api/report.ts';
import { client } from '../../state/session.ts';
import { useTask } from '../../state/task.ts';
import { Button } from '../../ui/button.tsx';
import { ago, percent } from '../../ui/format.ts';
import { Failure } from '../../ui/notice.tsx';
import { Thumbnail } from '../../ui/thumbnail.tsx';
import { announce } from '../../ui/toast.tsx';

interface HardestExamplesProps {
  readonly report: VersionReport;
  readonly onFixed: () => void;
}

/** The worst come first; of the others most are only hard. */
const SHOWN_FIRST = 8;

export function HardestExamples({ report, onFixed }: HardestExamplesProps) {
  const { busy, error, run } = useTask();
  const [fixing, setFixing] = useState<string>();
  const [all, setAll] = useState(false);
  const { head, hardest } = report;
  const fix = (id: string, change: () => Promise<unknown>, news: string): void => {
    setFixing(id);
    void run(async () => {
      await change();
      announce(news);
      onFixed();
    });
  };
  if (hardest.length === 0) return null;
  return (
    <section class="card stack">
      <div class="stack-s">
        <h2>Examples to look at</h2>
        <p class="soft small">
          Left out of the training, they would be called something else. Some are just hard; some are
          mislabelled.
        </p>
      </div>
      {error !== undefined && <Failure error={error} />}
      <ul class="example-list">
        {(all ? hardest : hardest.slice(0, SHOWN_FIRST)).map((example) => (
          <ExampleRow
            key={example.id}
            example={example}
            busy={busy && fixing === example.id}
            onRelabel={() =>
              fix(
                example.id,
                () => client().relabelExample(head, example.id, example.predicted),
                `It is ${example.predicted} now, and the head is retrained.`,
              )
            }
            onForget={() =>
              fix(
                example.id,
                () => client().forgetExample(head, example.id),
                'It is forgotten, and the head is retrained.',
              )
            }
          />
        ))}
      </ul>
      {!all && hardest.length > SHOWN_FIRST && (
        <div>
          <Button size="small" onClick={() => setAll(true)}>
            Show all {hardest.length}
          </Button>
        </div>
      )}
    </section>
  );
}

interface ExampleRowProps {
  readonly example: HardExample;
  readonly busy: boolean;
  readonly onRelabel: () => void;
  readonly onForget: () => void;
}

function ExampleRow({ example, busy, onRelabel, onForget }: ExampleRowProps) {
  const { label, predicted, probability, picture, created_at: created } = example;
  return (
    <li class="example-row">
      <Thumbnail picture={picture} />
      <p class="break">
        Taught as <strong>{label}</strong>, looks like <strong>{predicted}</strong>{' '}
        <span class="soft small">
          ({percent(probability, 0)} sure) · {ago(created)}
        </span>
      </p>
      <span class="row">
        <Button size="small" icon="check" busy={busy} onClick={onRelabel}>
          It is {predicted}
        </Button>
        <Button
          size="small"
          kind="plain"
          icon="trash"
          busy={busy}
          label={`Forget this example of ${label}`}
          onClick={onForget}
        />
      </span>
    </li>
  );
}
