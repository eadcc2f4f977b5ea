/** Pictures made ready for sending: turned upright, no larger than the Worker can use, as JPEG. */
import { uploadSize, type UploadSize } from '../../sdk/upload-size.ts';

/** A picture in a format of the Worker's that need not be scaled, of no more bytes than this, is sent as it is. */
const MAX_UNTOUCHED_BYTES = 256 * 1024;
const JPEG_QUALITY = 0.92;
const READABLE = new Set(['image/jpeg', 'image/png', 'image/webp']);

interface PreparedPicture {
  readonly blob: Blob;
  readonly name: string;
}

/**
 * @throws Error in words for the user when the browser can't read the file as a picture.
 */
export async function prepare(file: Blob, name: string): Promise<PreparedPicture> {
  const bitmap = await decode(file, name);
  try {
    const small = uploadSize(bitmap).width === bitmap.width && file.size <= MAX_UNTOUCHED_BYTES;
    if (small && READABLE.has(file.type)) return { blob: file, name };
    return { blob: await encode(bitmap, bitmap), name: `${withoutEnding(name)}.jpg` };
  } finally {
    bitmap.close();
  }
}

/** The frame that a camera shows now. @throws Error before its first one. */
export async function prepareFrame(video: HTMLVideoElement): Promise<Blob> {
  if (video.videoWidth === 0) throw new Error('The camera shows nothing yet.');
  return encode(video, { width: video.videoWidth, height: video.videoHeight });
}

async function decode(file: Blob, name: string): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch (cause) {
    throw new Error(`${name} is not a picture that this browser can read. Use JPEG, PNG or WebP.`, { cause });
  }
}

async function encode(source: CanvasImageSource, size: UploadSize): Promise<Blob> {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, uploadSize(size));
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new Error('This browser has no canvas to scale pictures with.');
  // As the Worker does: what is transparent lies on white.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error('The picture could not be encoded.')) : resolve(blob)),
      'image/jpeg',
      JPEG_QUALITY,
    );
  });
}

function withoutEnding(name: string): string {
  return name.replace(/\.[a-z0-9]{1,5}$/i, '');
}
