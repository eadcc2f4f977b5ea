/**
 * Augmentation: random crops, flips and changes of colour. From the stored picture to the network's input in one pass,
 * sampled bilinearly.
 */
import type { Random } from '../../random.ts';

export interface Size {
  readonly height: number;
  readonly width: number;
}

export interface Augmentation {
  /** Smallest share of the picture's area that a crop keeps; 1 crops nothing. */
  readonly smallestArea: number;
  /** Largest ratio by which a crop's aspect may differ from the picture's. */
  readonly aspect: number;
  /** Whether left and right may change places. */
  readonly mirror: boolean;
  /** Brightness, contrast and saturation each change by up to this share. */
  readonly light: number;
}

export const AUGMENTATION: Augmentation = { smallestArea: 0.35, aspect: 4 / 3, mirror: true, light: 0.25 };

/** Changes the size only. */
export const PLAIN: Augmentation = { smallestArea: 1, aspect: 1, mirror: false, light: 0 };

interface Crop extends Size {
  readonly top: number;
  readonly left: number;
}

/** Rec. 601 luma. */
const [RED, GREEN, BLUE] = [0.299, 0.587, 0.114];

/**
 * @param picture stored.height × stored.width × 3 bytes, RGB.
 * @param out where size.height × size.width × 3 bytes are written.
 */
export function augment(
  picture: Uint8Array,
  stored: Size,
  out: Uint8Array,
  size: Size,
  random: Random,
  augmentation: Augmentation,
): void {
  const crop = drawCrop(stored, random, augmentation);
  const mirrored = augmentation.mirror && random() < 0.5;
  const columns = samplePlaces(crop.left, crop.width, size.width, stored.width, mirrored);
  const rows = samplePlaces(crop.top, crop.height, size.height, stored.height, false);
  const light = drawLight(random, augmentation.light);
  let at = 0;
  for (let y = 0; y < size.height; y++) {
    const top = rows.first[y] * stored.width * 3;
    const bottom = rows.second[y] * stored.width * 3;
    const down = rows.share[y];
    for (let x = 0; x < size.width; x++, at += 3) {
      const left = columns.first[x] * 3;
      const right = columns.second[x] * 3;
      const across = columns.share[x];
      const w11 = down * across;
      const w10 = down - w11;
      const w01 = across - w11;
      const w00 = 1 - down - w01;
      const a = top + left;
      const b = top + right;
      const c = bottom + left;
      const d = bottom + right;
      const r = w00 * picture[a] + w01 * picture[b] + w10 * picture[c] + w11 * picture[d];
      const g = w00 * picture[a + 1] + w01 * picture[b + 1] + w10 * picture[c + 1] + w11 * picture[d + 1];
      const u = w00 * picture[a + 2] + w01 * picture[b + 2] + w10 * picture[c + 2] + w11 * picture[d + 2];
      const grey = (RED * r + GREEN * g + BLUE * u) * light.grey + light.shift;
      out[at] = toByte(r * light.gain + grey);
      out[at + 1] = toByte(g * light.gain + grey);
      out[at + 2] = toByte(u * light.gain + grey);
    }
  }
}

function toByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : (value + 0.5) | 0;
}

function drawCrop({ height, width }: Size, random: Random, { smallestArea, aspect }: Augmentation): Crop {
  const area = smallestArea + (1 - smallestArea) * random();
  const ratio = Math.exp((2 * random() - 1) * Math.log(aspect));
  const share = { height: Math.min(1, Math.sqrt(area / ratio)), width: Math.min(1, Math.sqrt(area * ratio)) };
  const crop = { height: share.height * height, width: share.width * width };
  return { ...crop, top: random() * (height - crop.height), left: random() * (width - crop.width) };
}

/** Brightness times, contrast around mid-grey, saturation around each pixel's own grey, as one affine map. */
function drawLight(random: Random, strength: number): { gain: number; grey: number; shift: number } {
  const factor = (): number => 1 + strength * (2 * random() - 1);
  const [brightness, contrast, saturation] = [factor(), factor(), factor()];
  const scale = brightness * contrast;
  return { gain: scale * saturation, grey: scale * (1 - saturation), shift: 128 * (1 - contrast) };
}

interface Places {
  readonly first: Uint16Array;
  readonly second: Uint16Array;
  /** Of the second in the mix. */
  readonly share: Float64Array;
}

/** Where each of `count` output pixels lies between two of the input's, along one side. */
function samplePlaces(begin: number, span: number, count: number, length: number, reversed: boolean): Places {
  const places = {
    first: new Uint16Array(count),
    second: new Uint16Array(count),
    share: new Float64Array(count),
  };
  for (let i = 0; i < count; i++) {
    const centre = ((reversed ? count - 1 - i : i) + 0.5) / count;
    const place = Math.min(Math.max(begin + centre * span - 0.5, 0), length - 1);
    const first = Math.floor(place);
    places.first[i] = first;
    places.second[i] = Math.min(first + 1, length - 1);
    places.share[i] = place - first;
  }
  return places;
}
