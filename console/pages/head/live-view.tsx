/** The camera, classified as fast as answers come. */
import { useEffect, useRef } from 'preact/hooks';
import type { Classification } from '../../../src/api/index.ts';
import { useCamera } from '../../pictures/camera.ts';
import { prepareFrame } from '../../pictures/prepare.ts';
import { client } from '../../state/session.ts';
import { Notice } from '../../ui/notice.tsx';

/** The least time between two frames: faster is hard to read and adds up on the bill. */
const PAUSE_MS = 250;

interface LiveViewProps {
  readonly head: string;
  readonly version: number | undefined;
  readonly onAnswer: (answer: Classification) => void;
  readonly onFailure: (error: unknown) => void;
}

export function LiveView({ head, version, onAnswer, onFailure }: LiveViewProps) {
  const { video, ready, fault } = useCamera();
  const latest = useRef({ onAnswer, onFailure });
  latest.current = { onAnswer, onFailure };
  useEffect(() => {
    if (!ready) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    const loop = async (): Promise<void> => {
      while (!signal.aborted && video.current !== null) {
        const frame = await prepareFrame(video.current);
        const answer = await client().classify(
          head,
          { bytes: frame, type: frame.type },
          { topK: 10, version, signal },
        );
        if (signal.aborted) return;
        latest.current.onAnswer(answer);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    };
    loop().catch((error: unknown) => signal.aborted || latest.current.onFailure(error));
    return () => controller.abort();
  }, [ready, head, version]);
  if (fault !== undefined) return <Notice tone="warn">{fault}</Notice>;
  return <video ref={video} muted playsInline aria-label="Camera" />;
}
