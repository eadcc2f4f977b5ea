/** The user's camera, on for as long as a component is mounted. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

export interface Camera {
  /** For the element that shows it. */
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly ready: boolean;
  /** In words for the user. */
  readonly fault: string | undefined;
}

export function useCamera(): Camera {
  const video = useRef<HTMLVideoElement>(null);
  const [ready, setReady] = useState(false);
  const [fault, setFault] = useState<string>();
  useEffect(() => {
    let stream: MediaStream | undefined;
    let gone = false;
    const start = async (): Promise<void> => {
      stream = await openCamera();
      const element = video.current;
      if (gone || element === null) return stop(stream);
      element.srcObject = stream;
      await element.play();
      setReady(true);
    };
    start().catch((error: unknown) => {
      if (!gone) setFault(describe(error));
    });
    return () => {
      gone = true;
      stop(stream);
    };
  }, []);
  return { video, ready, fault };
}

async function openCamera(): Promise<MediaStream> {
  // Absent on pages that did not come over https, whatever the types say.
  if (!('mediaDevices' in navigator)) throw new Error('Cameras work only on pages served over https.');
  const wish = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: 'environment' };
  return navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
}

function stop(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

const FAULTS: Readonly<Record<string, string>> = {
  NotAllowedError: 'This page may not use the camera. Allow it in the browser’s settings.',
  NotFoundError: 'No camera was found.',
  NotReadableError: 'Another program is using the camera.',
};

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return FAULTS[error.name] ?? error.message;
}
