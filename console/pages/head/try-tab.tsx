/** Trying a head: a picture or the webcam in, the answer out. */
import { useEffect, useState } from 'preact/hooks';
import type { Classification } from '../../../src/api/index.ts';
import { DropArea, PickButton } from '../../pictures/drop-area.tsx';
import type { FoundFile } from '../../pictures/dropped.ts';
import { prepare } from '../../pictures/prepare.ts';
import { client } from '../../state/session.ts';
import { Button } from '../../ui/button.tsx';
import { Failure } from '../../ui/notice.tsx';
import type { TabProps } from './head-page.tsx';
import { LiveView } from './live-view.tsx';
import { Answer } from './answer.tsx';

interface Shown {
  readonly url: string;
  readonly name: string;
}

export function TryTab({ name, detail }: TabProps) {
  const [version, setVersion] = useState<number>();
  const [picture, setPicture] = useState<Shown>();
  const [answer, setAnswer] = useState<Classification>();
  const [live, setLive] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (picture === undefined) return undefined;
    return () => URL.revokeObjectURL(picture.url);
  }, [picture]);

  const look = async (files: readonly FoundFile[]): Promise<void> => {
    const file = files[0]?.file;
    if (file === undefined) return;
    setLive(false);
    setError(undefined);
    setAnswer(undefined);
    try {
      const { blob } = await prepare(file, file.name);
      setPicture({ url: URL.createObjectURL(blob), name: file.name });
      setAnswer(await client().classify(name, { bytes: blob, type: blob.type }, { topK: 10, version }));
    } catch (failure) {
      setError(failure);
    }
  };
  usePastedPicture((files) => void look(files));
  const startLive = (): void => {
    setPicture(undefined);
    setAnswer(undefined);
    setError(undefined);
    setLive(true);
  };
  return (
    <div class="columns">
      <DropArea class="card stack try-input" label="Picture to try" onFiles={(files) => void look(files)}>
        <div class="try-picture">
          {live && <LiveView head={name} version={version} onAnswer={setAnswer} onFailure={setError} />}
          {!live && picture && <img src={picture.url} alt={picture.name} />}
          {!live && !picture && <p class="soft">Drop or paste a picture here that {name} has not seen.</p>}
        </div>
        <div class="row row-apart">
          <div class="row">
            <PickButton
              label="A picture to try"
              text="Choose a picture"
              kind="main"
              onFiles={(files) => void look(files)}
            />
            <Button icon="camera" onClick={live ? () => setLive(false) : startLive}>
              {live ? 'Stop' : 'Webcam'}
            </Button>
          </div>
          {detail !== null && detail.versions.length > 1 && (
            <VersionChoice versions={detail.versions} onChoose={setVersion} />
          )}
        </div>
      </DropArea>
      <section class="card stack" aria-label="Answer" aria-live={live ? 'off' : 'polite'}>
        {error !== undefined && <Failure error={error} />}
        {answer ? (
          <Answer answer={answer} />
        ) : (
          error === undefined && <p class="soft">The answer appears here.</p>
        )}
      </section>
    </div>
  );
}

interface VersionChoiceProps {
  readonly versions: readonly { readonly version: number; readonly current: boolean }[];
  readonly onChoose: (version: number | undefined) => void;
}

function VersionChoice({ versions, onChoose }: VersionChoiceProps) {
  return (
    <select
      class="select"
      aria-label="Version"
      onChange={({ currentTarget: { value } }) => onChoose(value === '' ? undefined : Number(value))}
    >
      <option value="">current version</option>
      {versions.map(({ version, current }) => (
        <option key={version} value={version}>
          version {version}
          {current ? ' (current)' : ''}
        </option>
      ))}
    </select>
  );
}

function usePastedPicture(onFiles: (files: readonly FoundFile[]) => void): void {
  useEffect(() => {
    const handle = ({ clipboardData }: ClipboardEvent): void => {
      const file = Array.from(clipboardData?.files ?? []).find(({ type }) => type.startsWith('image/'));
      if (file !== undefined) onFiles([{ file }]);
    };
    document.addEventListener('paste', handle);
    return () => document.removeEventListener('paste', handle);
  }, [onFiles]);
}
