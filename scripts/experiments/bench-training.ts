/**
 * How long a training step takes a picture, forward and backward through the tail that `fine-tune` trains, on the WASM
 * backend and on TensorFlow.js's cpu backend, which computes the same.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as everything from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { cutAt, loadBackbone } from '../../src/backbone/index.ts';
import { useWasmBackend } from '../../src/backbone/tfjs/backend.ts';
import { HARD_SWISH, HARD_SWISH_GRADIENT, registerGradients } from '../../src/backbone/tfjs/gradients.ts';
import { TrainableNetwork } from '../../src/learn/fine-tune/network.ts';
import { gather, layOut, lengthOf } from '../../src/learn/fine-tune/parameters.ts';
import { randomFor } from '../../src/random.ts';

const FROM = 'b3.project';
const PICTURES = { wasm: 16, cpu: 2 } as const;
const REPETITIONS = { wasm: 10, cpu: 1 } as const;

const build = join(import.meta.dirname, '../../build');
const require = createRequire(import.meta.url);

function compile(path: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(path));
}

type Kernel = (x: tf.Tensor, dy: tf.Tensor) => tf.Tensor;

/** What our own kernels do, of the cpu backend's. */
const ON_CPU: Readonly<Record<string, Kernel>> = {
  [HARD_SWISH]: (x) => tf.tidy(() => tf.div(tf.mul(x, tf.clipByValue(tf.add(x, 3), 0, 6)), 6)),
  [HARD_SWISH_GRADIENT]: (x, dy) =>
    tf.tidy(() => {
      const slope = tf.add(tf.div(x, 3), 0.5);
      const inside = tf.where(tf.greater(x, -3), slope, tf.zerosLike(x));
      return tf.mul(dy, tf.where(tf.less(x, 3), inside, tf.onesLike(x)));
    }),
};

function registerOnCpu(): void {
  for (const [kernelName, kernel] of Object.entries(ON_CPU)) {
    tf.registerKernel({
      kernelName,
      backendName: 'cpu',
      // TensorFlow.js hands over tensors under the type of what it makes them from.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      kernelFunc: ({ inputs }) => kernel(inputs['x'] as tf.Tensor, inputs['dy'] as tf.Tensor),
    });
  }
}

/** Milliseconds a picture. */
function measure(kind: 'wasm' | 'cpu'): { ms: number; gradient: Float32Array } {
  const plan: unknown = JSON.parse(readFileSync(join(build, 'backbone/plan.json'), 'utf8'));
  const backbone = loadBackbone(plan, readFileSync(join(build, 'backbone/weights.safetensors')));
  const cut = cutAt(backbone.plan, FROM);
  const parameters = layOut(cut.tailSteps, backbone);
  const network = new TrainableNetwork(cut, parameters);
  network.load(gather(parameters, backbone));
  const { height, width, channels } = backbone.shapes.get(FROM)!;
  const random = randomFor(1);
  const picture = Float32Array.from({ length: height * width * channels }, () => 2 * random() - 1);
  const count = PICTURES[kind];
  const values = new Float32Array(count * picture.length);
  for (let i = 0; i < count; i++) values.set(picture, i * picture.length);
  const input = tf.tensor4d(values, [count, height, width, channels]);
  const step = (): Float32Array => {
    const gradient = new Float32Array(lengthOf(parameters));
    network.accumulate(input, (codes) => tf.mul(codes, 1 / count), gradient);
    return gradient;
  };
  const gradient = step();
  const start = performance.now();
  for (let i = 0; i < REPETITIONS[kind]; i++) step();
  const ms = (performance.now() - start) / REPETITIONS[kind] / count;
  network.dispose();
  input.dispose();
  return { ms, gradient };
}

await registerGradients(
  compile(require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm')),
  compile(join(build, 'wasm/gradients.wasm')),
);
useWasmBackend();
const wasm = measure('wasm');
registerOnCpu();
await everything.setBackend('cpu');
const cpu = measure('cpu');
const norm = Math.sqrt(cpu.gradient.reduce((sum, g) => sum + g * g, 0));
const difference = Math.sqrt(cpu.gradient.reduce((sum, g, i) => sum + (g - wasm.gradient[i]) ** 2, 0));
process.stdout.write(
  `training step from ${FROM}, ms a picture: wasm ${wasm.ms.toFixed(1)}, cpu ${cpu.ms.toFixed(0)}, ` +
    `${(cpu.ms / wasm.ms).toFixed(0)} times as fast; relative difference of the gradients ${(difference / norm).toExponential(1)}\n`,
);
