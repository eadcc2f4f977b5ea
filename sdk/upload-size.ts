/** How large a picture is that a browser scales down before it is sent. */

/**
 * The largest input of a backbone has sides of 288 pixels, and what is sent should have at least 1.5 times as many, 432,
 * so that the Worker's own filter has its part: then a picture that was scaled down here and the file itself give nearly
 * the same answer. This is a little more, and the shorter side of what cameras give.
 */
const SHORT_SIDE = 480;
/** Of panoramas: canvases end somewhere. */
const LONG_SIDE = 4_096;

export interface UploadSize {
  readonly width: number;
  readonly height: number;
}

/** @returns whole sides in the same proportions, none longer than it is; the picture's own where it need not be scaled. */
export function uploadSize({ width, height }: UploadSize): UploadSize {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const scale = Math.min(1, SHORT_SIDE / short, LONG_SIDE / long);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
