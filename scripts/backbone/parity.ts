/**
 * Checks an import: the whole network with its pretrained classifier must give the source's own pictures their labels,
 * and rounding the weights to half precision must leave the CNN codes as they were.
 */
import jpegTurbo from '@cwasm/jpeg-turbo';
import { createTfjsEngine, type TfjsEngine } from '../../src/backbone/tfjs/engine.ts';
import { loadBackbone } from '../../src/backbone/index.ts';
import { cosine } from '../../src/learn/statistics/cosine.ts';
import { tfjsWasm } from '../../trainer/runtime.ts';
import { encode } from './encode.ts';
import type { GgufFile } from './gguf.ts';
import type { Network } from './network.ts';
import { SOURCE, type Picture } from './source.ts';

export interface Parity {
  readonly pictures: readonly { file: string; label: string; probability: number }[];
  /** Smallest cosine, over the pictures, between codes with weights in half and in single precision. */
  readonly halfCosine: number;
}

/** Codes that are nearer than this give the same answers: a head's scores move by less than a thousandth. */
const MIN_HALF_COSINE = 0.99999;

/** @throws Error when a picture gets a wrong label or half precision costs too much. */
export async function checkParity(
  gguf: GgufFile,
  network: Network,
  classifier: Network,
  pictures: readonly Picture[],
): Promise<Parity> {
  if (pictures.length === 0) throw new Error('The source has no pictures to check the import with.');
  const { height, width } = network.plan.input;
  const pixels = pictures.map(({ jpeg }) => decode(jpeg, height, width));
  const wasm = await tfjsWasm();
  const labels = [0, 1, 2].map((index) => String(gguf.metadata.get(`mobilenet.class_${index}`)));

  const logits = await outputs(classifier, 'half', wasm, pixels);
  const answers = pictures.map(({ file, label }, i) => {
    const probabilities = softmax(logits[i]);
    const best = probabilities.indexOf(Math.max(...probabilities));
    if (labels[best] !== label) {
      throw new Error(
        `Parity check failed: ${file} is '${label}' to the source, '${labels[best]}' to the import.`,
      );
    }
    return { file, label, probability: probabilities[best] };
  });

  const half = await outputs(network, 'half', wasm, pixels);
  const single = await outputs(network, 'single', wasm, pixels);
  const halfCosine = Math.min(...half.map((code, i) => cosine(code, single[i])));
  if (!(halfCosine >= MIN_HALF_COSINE)) {
    throw new Error(`Parity check failed: half-precision weights turn the codes (cosine ${halfCosine}).`);
  }
  return { pictures: answers, halfCosine };
}

async function outputs(
  network: Network,
  precision: 'half' | 'single',
  wasm: WebAssembly.Module,
  pixels: readonly Uint8Array[],
): Promise<Float32Array[]> {
  const { plan, weights } = encode(network, precision, SOURCE.sha256);
  const engine: TfjsEngine = await createTfjsEngine(loadBackbone(plan, weights), wasm);
  const codes = pixels.map((picture) => engine.codes(picture));
  engine.dispose();
  return codes;
}

/**
 * Squashes a JPEG to RGB bytes of the network's size with the antialiased triangle filter, which is the source's. Not
 * the product's own decoder: this must keep testing the import alone, whatever becomes of that.
 */
function decode(jpeg: Uint8Array, height: number, width: number): Uint8Array {
  const picture = jpegTurbo.decode(jpeg);
  const rows = triangleFilter(height, picture.height);
  const columns = triangleFilter(width, picture.width);
  const result = new Uint8Array(height * width * 3);
  for (let at = 0; at < result.length; at++) {
    const channel = at % 3;
    const column = columns[Math.floor(at / 3) % width];
    let sum = 0;
    for (const [y, rowWeight] of rows[Math.floor(at / (3 * width))]) {
      for (const [x, weight] of column) {
        sum += rowWeight * weight * picture.data[(y * picture.width + x) * 4 + channel];
      }
    }
    result[at] = Math.round(sum);
  }
  return result;
}

type Contribution = readonly [source: number, weight: number];

/** For each target pixel the source pixels around it, weighted by a triangle as wide as the reduction. */
function triangleFilter(targets: number, sources: number): Contribution[][] {
  const scale = sources / targets;
  const radius = Math.max(1, scale);
  return Array.from({ length: targets }, (_, target) => {
    const centre = (target + 0.5) * scale - 0.5;
    const contributions: [number, number][] = [];
    for (let source = Math.ceil(centre - radius); source <= centre + radius; source++) {
      const weight = 1 - Math.abs(source - centre) / radius;
      contributions.push([Math.min(Math.max(source, 0), sources - 1), weight]);
    }
    const total = contributions.reduce((sum, [, weight]) => sum + weight, 0);
    return contributions.map(([source, weight]) => [source, weight / total]);
  });
}

function softmax(logits: Float32Array): number[] {
  const max = Math.max(...logits);
  const exponentials = [...logits].map((logit) => Math.exp(logit - max));
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((e) => e / sum);
}
