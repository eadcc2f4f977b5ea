/** One class: how many examples it has, the pictures that wait to be taught, and the ways to add more. */
import { useState } from 'preact/hooks';
import { DropArea, PickButton } from '../../pictures/drop-area.tsx';
import type { FoundFile } from '../../pictures/dropped.ts';
import { WebcamRecorder } from '../../pictures/webcam-recorder.tsx';
import { client } from '../../state/session.ts';
import { addPicture, removeLabel, removePictures, type StagedPicture } from '../../state/staged.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { count } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { announce } from '../../ui/toast.tsx';

interface ClassCardProps {
  readonly head: string;
  readonly label: string;
  /** Examples that the head was taught; undefined for a class that it does not know yet. */
  readonly stored: number | undefined;
  readonly pictures: readonly StagedPicture[];
  readonly onFiles: (files: readonly FoundFile[]) => void;
  readonly onForgotten: () => void;
}

export function ClassCard({ head, label, stored, pictures, onFiles, onForgotten }: ClassCardProps) {
  const [recording, setRecording] = useState(false);
  const [forgetting, setForgetting] = useState(false);
  return (
    <DropArea class="card class-card stack" label={`Class ${label}`} onFiles={onFiles}>
      <div class="row row-apart class-card-head">
        <h2 class="break">{label}</h2>
        <Button
          kind="plain"
          size="small"
          icon="trash"
          label={`Remove class ${label}`}
          onClick={() => (stored === undefined ? removeLabel(head, label) : setForgetting(true))}
        />
      </div>
      <p class="soft small" aria-live="polite">
        {stored === undefined ? 'New' : count(stored, 'example')}
        {pictures.length > 0 && (
          <>
            {' '}
            · <strong class="waiting">{pictures.length} to teach</strong>
          </>
        )}
      </p>
      <Thumbnails head={head} label={label} pictures={pictures} />
      <div class="row">
        <PickButton
          label={`Pictures of ${label}`}
          text="Add pictures"
          multiple
          size="small"
          onFiles={onFiles}
        />
        <Button size="small" icon="camera" aria-label={`Webcam: ${label}`} onClick={() => setRecording(true)}>
          Webcam
        </Button>
      </div>
      {recording && (
        <WebcamRecorder
          label={label}
          onFrame={(frame) => addPicture(head, label, frame, `webcam-${Date.now()}.jpg`)}
          onClose={() => setRecording(false)}
        />
      )}
      {forgetting && (
        <Confirm
          title={`Forget ${label}?`}
          action="Forget"
          onClose={() => setForgetting(false)}
          onSubmit={async () => {
            await client().forgetClass(head, label);
            removeLabel(head, label);
            announce(`${label} is forgotten.`);
            onForgotten();
          }}
        >
          Its {count(stored ?? 0, 'example')} are deleted, and so are the versions that were trained on them.
          The head becomes the one that never saw them. This can’t be undone.
        </Confirm>
      )}
    </DropArea>
  );
}

const SHOWN = 12;

interface ThumbnailsProps {
  readonly head: string;
  readonly label: string;
  readonly pictures: readonly StagedPicture[];
}

function Thumbnails({ head, label, pictures }: ThumbnailsProps) {
  if (pictures.length === 0) {
    return (
      <div class="drop-hint soft small">
        <Icon name="upload" /> Drop pictures here
      </div>
    );
  }
  const hidden = pictures.length - SHOWN;
  return (
    <ul class="thumbs" aria-label={`Pictures of ${label} to teach`}>
      {pictures.slice(-SHOWN).map((picture) => (
        <li key={picture.id}>
          <button
            type="button"
            class="thumb"
            aria-label={`Remove ${picture.name}`}
            title={`Remove ${picture.name}`}
            onClick={() => removePictures(head, [picture])}
          >
            <img src={picture.url} alt="" />
            <span class="thumb-remove">
              <Icon name="close" size={14} />
            </span>
          </button>
        </li>
      ))}
      {hidden > 0 && <li class="thumb-more soft small">+{hidden}</li>}
    </ul>
  );
}
