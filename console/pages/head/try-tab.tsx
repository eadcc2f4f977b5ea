/** Trying a head: a picture or the webcam in, the answer out. */
import { useState } from 'preact/hooks';
import type { Classification, HeadDetail } from '../../../src/api/index.ts';
import { HeatMap } from '../../charts/heat-map.tsx';
import { DropArea, PickButton } from '../../pictures/drop-area.tsx';
import type { FoundFile } from '../../pictures/dropped.ts';
import { usePastedPictures } from '../../pictures/paste.ts';
import { useTrial, type Trial } from '../../state/trial.ts';
import { Button } from '../../ui/button.tsx';
import { Choice } from '../../ui/choice.tsx';
import { Failure } from '../../ui/notice.tsx';
import { Answer } from './answer.tsx';
import type { TabProps } from './tab-props.ts';
import { LiveView } from './live-view.tsx';

export function TryTab({ name, detail }: TabProps) {
  const [chosen, setChosen] = useState<number | ''>('');
  const version = chosen === '' ? undefined : chosen;
  const [live, setLive] = useState(false);
  const [liveAnswer, setLiveAnswer] = useState<Classification>();
  const [liveError, setLiveError] = useState<unknown>();
  const trial = useTrial(name, version);
  const look = (files: readonly FoundFile[]): void => {
    setLive(false);
    trial.look(files);
  };
  usePastedPictures(look);
  const startLive = (): void => {
    trial.clear();
    setLiveAnswer(undefined);
    setLiveError(undefined);
    setLive(true);
  };
  return (
    <div class="columns">
      <DropArea class="card stack" label="Picture to try" onFiles={look}>
        <div class="try-picture">
          {live ? (
            <LiveView head={name} version={version} onAnswer={setLiveAnswer} onFailure={setLiveError} />
          ) : (
            <TriedPicture name={name} trial={trial} />
          )}
        </div>
        <div class="row try-actions">
          <PickButton label="A picture to try" text="Choose picture" kind="main" onFiles={look} />
          <Button icon="camera" onClick={live ? () => setLive(false) : startLive}>
            {live ? 'Stop' : 'Webcam'}
          </Button>
          {detail !== null && detail.versions.length > 1 && (
            <Choice name="Version" options={versionsOf(detail)} value={chosen} onChoose={setChosen} />
          )}
        </div>
      </DropArea>
      <section class="card stack" aria-label="Answer" aria-live={live ? 'off' : 'polite'}>
        {live ? (
          <Outcome answer={liveAnswer} error={liveError} />
        ) : (
          <Outcome answer={trial.answer} error={trial.error} onExplain={trial.explain} />
        )}
      </section>
    </div>
  );
}

/** The one in use, which may change meanwhile, or one by its number. */
function versionsOf({ versions }: HeadDetail): { value: number | ''; text: string }[] {
  const numbered = versions.map(({ version, current }) => ({
    value: version,
    text: `version ${version}${current ? ' (in use)' : ''}`,
  }));
  return [{ value: '', text: 'version in use' }, ...numbered];
}

function TriedPicture({ name, trial }: { readonly name: string; readonly trial: Trial }) {
  const { picture, answer } = trial;
  const [shown, setShown] = useState(true);
  if (picture === undefined) {
    return <p class="soft">Drop or paste a picture here that {name} has not seen.</p>;
  }
  return (
    <>
      <HeatMap url={picture.url} name={picture.name} explanation={answer?.explanation} shown={shown} />
      {answer?.explanation && (
        <Button size="small" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? 'Hide the heat-map' : 'Show the heat-map'}
        </Button>
      )}
    </>
  );
}

interface OutcomeProps {
  readonly answer: Classification | undefined;
  readonly error: unknown;
  readonly onExplain?: Trial['explain'];
}

function Outcome({ answer, error, onExplain }: OutcomeProps) {
  if (error !== undefined) return <Failure error={error} />;
  if (answer === undefined) return <p class="soft">The answer appears here.</p>;
  return <Answer answer={answer} onExplain={onExplain} />;
}
