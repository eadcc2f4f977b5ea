/** A picture under what spoke for a label in it: warm where it did, cool where something spoke against. */
import { useEffect, useRef } from 'preact/hooks';
import type { Classification } from '../../src/api/index.ts';

type Explanation = NonNullable<Classification['explanation']>;

interface HeatMapProps {
  readonly url: string;
  readonly name: string;
  readonly explanation: Explanation | undefined;
  readonly shown: boolean;
}

export function HeatMap({ url, name, explanation, shown }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current !== null && explanation !== undefined) paint(canvas.current, explanation.grid.shares);
  }, [explanation, shown]);
  return (
    <div class="heat-map" data-shown={explanation && shown ? true : undefined}>
      <img src={url} alt={name} />
      {explanation && shown && (
        <canvas
          ref={canvas}
          role="img"
          aria-label={`Heat-map: what spoke for ${explanation.label}. ${strongest(explanation)}`}
        />
      )}
    </div>
  );
}

// --warm and --cool of the style sheet.
const WARM = [255, 112, 20] as const;
const COOL = [40, 120, 255] as const;
const MOST_OPAQUE = 200;

/** One pixel a place; the style sheet stretches them smoothly over the picture. */
function paint(canvas: HTMLCanvasElement, shares: readonly (readonly number[])[]): void {
  const height = shares.length;
  const width = shares[0]?.length ?? 0;
  const context = canvas.getContext('2d');
  if (context === null || width === 0) return;
  canvas.width = width;
  canvas.height = height;
  const largest = Math.max(...shares.flat().map(Math.abs), Number.MIN_VALUE);
  const image = context.createImageData(width, height);
  for (const [i, share] of shares.flat().entries()) {
    image.data.set(share >= 0 ? WARM : COOL, 4 * i);
    image.data[4 * i + 3] = (MOST_OPAQUE * Math.abs(share)) / largest;
  }
  context.putImageData(image, 0, 0);
}

const ROWS = ['top', 'middle', 'bottom'] as const;
const COLUMNS = ['left', 'centre', 'right'] as const;

/** In words, for those who can't see it. */
function strongest({ grid: { shares } }: Explanation): string {
  const flat = shares.flat();
  const at = flat.indexOf(Math.max(...flat));
  const width = shares[0]?.length ?? 1;
  const row = ROWS[Math.floor((3 * Math.floor(at / width)) / shares.length)];
  const column = COLUMNS[Math.floor((3 * (at % width)) / width)];
  return `Most of it at the ${row} ${column}.`;
}
