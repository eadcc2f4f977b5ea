/** How much there is to do in each step of a plan, whoever does it: multiply-adds, and bytes of weights and maps. */
import { type Backbone, type Step, tensorNames } from '../src/backbone/index.ts';
import { multiplyAddsOf } from '../src/backbone/multiply-adds.ts';

export interface StepWork {
  readonly name: string;
  readonly macs: number;
  /** In 32-bit floats. */
  readonly weightBytes: number;
  /** Maps read and written, once each. */
  readonly mapBytes: number;
}

const FLOAT_BYTES = 4;

export function workOf(backbone: Backbone): StepWork[] {
  return backbone.plan.steps.map((step) => ({
    name: step.name,
    macs: multiplyAddsOf(step, backbone),
    weightBytes:
      tensorNames(step).reduce((sum, name) => sum + elements(backbone.tensorShapes.get(name)), 0) *
      FLOAT_BYTES,
    mapBytes: mapBytes(step, backbone),
  }));
}

function mapBytes(step: Step, backbone: Backbone): number {
  const inputs = step.op === 'add' ? [step.input, step.other] : [step.input];
  const read = inputs.reduce(
    (sum, name) => sum + mapElements(name, backbone) * (name === 'input' ? 1 : FLOAT_BYTES),
    0,
  );
  return read + mapElements(step.name, backbone) * FLOAT_BYTES;
}

function mapElements(name: string, { shapes }: Pick<Backbone, 'shapes'>): number {
  const { height, width, channels } = shapes.get(name)!;
  return height * width * channels;
}

function elements(shape: readonly number[] | undefined): number {
  return shape?.reduce((product, size) => product * size, 1) ?? 0;
}
