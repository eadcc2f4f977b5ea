/**
 * The shape of Teachable Machine's image client (@teachablemachine/image): `load`, `predict`, `predictTopK`. A model is a
 * head of a Headwater Worker; pictures are sent to it, not classified in the page.
 */
import { HeadwaterClient, type Picture } from './client.ts';
import type { ClientOptions } from './transport.ts';
import { uploadSize, type UploadSize } from './upload-size.ts';

/** As Teachable Machine's client answers. */
export interface Prediction {
  readonly className: string;
  readonly probability: number;
}

/** A file's bytes anywhere; in browsers also what a canvas can draw: images, videos, canvases. */
export type TeachableImage = Blob | Uint8Array<ArrayBuffer> | Exclude<CanvasImageSource, SVGImageElement>;

export interface CustomMobileNet {
  getTotalClasses(): number;
  getClassLabels(): string[];
  /** Every class, in the order of the labels. @param flipped mirrors what a canvas draws, as for a webcam. */
  predict(image: TeachableImage, flipped?: boolean): Promise<Prediction[]>;
  /** The most probable classes, best first. */
  predictTopK(image: TeachableImage, maxPredictions?: number, flipped?: boolean): Promise<Prediction[]>;
}

const ALL = 10_000;
/** As many as Teachable Machine's client answers. */
const DEFAULT_TOP_K = 3;
const QUALITY = 0.9;

/**
 * @param model address of the head: https://headwater.example.workers.dev/v1/heads/recycling
 * @throws ApiError
 */
export async function load(
  model: string | URL,
  options: Omit<ClientOptions, 'url'>,
): Promise<CustomMobileNet> {
  const [, base, head] = /^(.*\/)v1\/heads\/([^/?#]+)\/?$/.exec(String(model)) ?? [];
  if (base === undefined || head === undefined) {
    throw new TypeError(`'${String(model)}' is no head's address: https://…/v1/heads/{head}`);
  }
  const client = new HeadwaterClient({ ...options, url: base });
  const name = decodeURIComponent(head);
  const labels = (await client.describeHead(name)).classes.map(({ label }) => label);
  const classify = async (image: TeachableImage, topK: number, flipped: boolean): Promise<Prediction[]> => {
    const { predictions } = await client.classify(name, await pictureOf(image, flipped), { topK });
    return predictions.map(({ label, score }) => ({ className: label, probability: score }));
  };
  return {
    getTotalClasses: () => labels.length,
    getClassLabels: () => [...labels],
    predict: async (image, flipped = false) => {
      const order = new Map(labels.map((label, at) => [label, at]));
      const place = ({ className }: Prediction): number => order.get(className) ?? labels.length;
      return (await classify(image, ALL, flipped)).sort((a, b) => place(a) - place(b));
    },
    predictTopK: (image, maxPredictions = DEFAULT_TOP_K, flipped = false) =>
      classify(image, maxPredictions, flipped),
  };
}

async function pictureOf(image: TeachableImage, flipped: boolean): Promise<Picture> {
  const bytes = image instanceof Blob || image instanceof Uint8Array ? image : await drawn(image, flipped);
  return { bytes, type: 'application/octet-stream' };
}

async function drawn(image: Exclude<CanvasImageSource, SVGImageElement>, flipped: boolean): Promise<Blob> {
  const { width, height } = uploadSize(sizeOf(image));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context === null) throw new TypeError('This browser draws no pictures.');
  if (flipped) {
    context.translate(canvas.width, 0);
    context.scale(-1, 1);
  }
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
}

/** In pixels of its own, not of the page. */
function sizeOf(image: Exclude<CanvasImageSource, SVGImageElement>): UploadSize {
  if ('videoWidth' in image) return { width: image.videoWidth, height: image.videoHeight };
  if ('naturalWidth' in image) return { width: image.naturalWidth, height: image.naturalHeight };
  if ('displayWidth' in image) return { width: image.displayWidth, height: image.displayHeight };
  return { width: image.width, height: image.height };
}
