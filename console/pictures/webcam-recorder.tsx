/** Hold to record: takes pictures from the camera for as long as the button is held, by finger, mouse or key. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { count } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { useCamera } from './camera.ts';
import { prepareFrame } from './prepare.ts';

/** Closer in time, frames hardly differ and teach little. */
const FRAME_PAUSE_MS = 200;

interface RecorderProps {
  readonly label: string;
  readonly onFrame: (frame: Blob) => void;
  readonly onClose: () => void;
}

export function WebcamRecorder({ label, onFrame, onClose }: RecorderProps) {
  const { video, ready, fault } = useCamera();
  const [taken, setTaken] = useState(0);
  const recording = useRecording(() => {
    const element = video.current;
    if (element === null) return;
    const take = async (): Promise<void> => {
      onFrame(await prepareFrame(element));
      setTaken((n) => n + 1);
    };
    // A frame that can't be had is one frame less.
    take().catch(() => undefined);
  });
  return (
    <Dialog title={`Webcam: ${label}`} onClose={onClose} wide>
      {fault === undefined ? (
        <div class="viewfinder" data-live={recording.on ? true : undefined}>
          <video ref={video} muted playsInline aria-label="Camera" />
          {!ready && <p class="soft">Starting the camera …</p>}
        </div>
      ) : (
        <Notice tone="warn">{fault}</Notice>
      )}
      <p class="soft small">
        Hold the button and show the camera different sides, distances and backgrounds.{' '}
        {taken > 0 && <span role="status">{count(taken, 'picture')} taken.</span>}
      </p>
      <div class="dialog-actions">
        <Button onClick={onClose}>Done</Button>
        <Button kind="main" icon="camera" disabled={!ready} {...recording.handlers}>
          {recording.on ? 'Recording …' : 'Hold to record'}
        </Button>
      </div>
    </Dialog>
  );
}

/** @returns whether it records, and what the button listens to. */
function useRecording(take: () => void) {
  const [on, setOn] = useState(false);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    if (!on) return undefined;
    latest.current();
    const timer = setInterval(() => latest.current(), FRAME_PAUSE_MS);
    return () => clearInterval(timer);
  }, [on]);
  const stop = (): void => setOn(false);
  return {
    on,
    handlers: {
      onPointerDown: (event: PointerEvent & { currentTarget: HTMLElement }) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setOn(true);
      },
      onPointerUp: stop,
      onPointerCancel: stop,
      onKeyDown: (event: KeyboardEvent) => {
        if (event.key === ' ' || event.key === 'Enter') {
          event.preventDefault();
          setOn(true);
        }
      },
      onKeyUp: stop,
      onBlur: stop,
      // A long press on a phone would open a menu.
      onContextMenu: (event: Event) => event.preventDefault(),
    },
  };
}
