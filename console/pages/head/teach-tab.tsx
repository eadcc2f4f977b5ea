/** Teaching: classes as cards that take pictures, and one button that makes them count. */
import { useRef, useState } from 'preact/hooks';
import type { Taught } from '../../../sdk/client.ts';
import { DropArea } from '../../pictures/drop-area.tsx';
import type { FoundFile } from '../../pictures/dropped.ts';
import { usePastedPictures } from '../../pictures/paste.ts';
import { addFiles, addLabel, stageOf } from '../../state/staged.ts';
import { Notice } from '../../ui/notice.tsx';
import { AddClass } from './add-class.tsx';
import { ClassCard } from './class-card.tsx';
import type { TabProps } from './tab-props.ts';
import { TaughtNews } from './taught-news.tsx';
import { TeachBar } from './teach-bar.tsx';

export function TeachTab({ name, detail, reload }: TabProps) {
  const [faults, setFaults] = useState<readonly string[]>([]);
  const [taught, setTaught] = useState<Taught>();
  const stage = stageOf(name);
  // Before there is a second class there is no head yet, but examples.
  const classes = detail?.classes ?? taught?.classes ?? [];
  const stored = new Map(classes.map(({ label, examples }) => [label, examples]));
  const labels = [...new Set([...stored.keys(), ...stage.labels])];

  const add = async (label: string, files: readonly FoundFile[]): Promise<void> => {
    addLabel(name, label);
    setFaults(await addFiles(name, label, files));
  };
  const lastTouched = useRef<string>(undefined);
  usePastedPictures((files) => {
    const label = lastTouched.current ?? labels.at(-1);
    if (label !== undefined) void add(label, files);
  });

  return (
    <>
      {taught && <TaughtNews head={name} taught={taught} />}
      <DropArea
        class="drop-page stack"
        label="Classes"
        onFiles={(files) => void addByFolder(files, add).then((loose) => loose > 0 && setFaults([LOOSE]))}
      >
        <p class="soft">
          Drop pictures on a class, or whole folders anywhere: each becomes a class with the folder’s name.
          Pasting works too. Pictures are scaled down here, before they are sent.
        </p>
        {faults.length > 0 && (
          <Notice tone="warn">
            {faults.slice(0, 5).map((fault) => (
              <p key={fault}>{fault}</p>
            ))}
            {faults.length > 5 && <p>… and {faults.length - 5} more.</p>}
          </Notice>
        )}
        <ul class="grid">
          {labels.map((label) => (
            <li key={label} onFocusIn={() => (lastTouched.current = label)}>
              <ClassCard
                head={name}
                label={label}
                stored={stored.get(label)}
                pictures={stage.pictures.filter((picture) => picture.label === label)}
                onFiles={(files) => void add(label, files)}
                onForgotten={reload}
              />
            </li>
          ))}
          <li>
            <AddClass taken={labels} onAdd={(label) => addLabel(name, label)} />
          </li>
        </ul>
      </DropArea>
      <TeachBar
        head={name}
        pictures={stage.pictures}
        storedClasses={stored.size}
        onTaught={(answer) => {
          setTaught(answer);
          reload();
        }}
      />
    </>
  );
}

const LOOSE = 'Drop single pictures on the class that they belong to.';

/** @returns how many files were in no folder, and so have no label. */
async function addByFolder(
  files: readonly FoundFile[],
  add: (label: string, files: readonly FoundFile[]) => Promise<void>,
): Promise<number> {
  const folders = Map.groupBy(files, ({ folder }) => folder);
  for (const [folder, found] of folders) {
    if (folder !== undefined) await add(folder, found);
  }
  return folders.get(undefined)?.length ?? 0;
}
