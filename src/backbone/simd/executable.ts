/** A compiled network in a machine's memory, which runs on one picture or map after the other. */
import type { Compiled, Output } from './compiled.ts';
import { codeLength } from '../plan.ts';
import type { Loaded, Machine } from './machine.ts';
import { FeatureMap } from './map.ts';
import { writeMap } from './map-values.ts';

export interface CodesAndMaps {
  readonly codes: Float32Array;
  readonly maps: Map<string, Float32Array>;
}

export class Executable {
  readonly #machine: Machine;
  readonly #compiled: Omit<Compiled, 'program'>;
  readonly #loaded: Loaded;
  readonly #codeLength: number;

  /** @throws HeadwaterError `backbone_invalid` when the machine has not memory enough. */
  constructor(machine: Machine, { program, ...compiled }: Compiled) {
    // The program holds on to the tensors; what is kept does not.
    this.#machine = machine;
    this.#compiled = compiled;
    this.#loaded = machine.load(program);
    this.#codeLength = codeLength(compiled);
  }

  /** Whether the step's output exists during a run. */
  has(step: string): boolean {
    return this.#compiled.outputs.has(step);
  }

  /**
   * @param inputs n pictures of bytes, or n maps of the step that the first steps read, channels last.
   * @param steps that have an output.
   * @returns n codes, and by step n maps; fresh arrays.
   * @throws RangeError when the length is no whole number of inputs.
   */
  run(inputs: Uint8Array | Float32Array, steps: readonly string[] = []): CodesAndMaps {
    const { outputs } = this.#compiled;
    const wanted = [...new Set(steps)].map((step) => ({ step, ...outputs.get(step)! }));
    wanted.sort((a, b) => a.after - b.after);
    const count = this.#countOf(inputs);
    const each = inputs.length / count;
    const codes = new Float32Array(count * this.#codeLength);
    const maps = new Map(wanted.map(({ step, shape }) => [step, new Float32Array(count * sizeOf(shape))]));
    for (let i = 0; i < count; i++) {
      this.#write(inputs.subarray(i * each, (i + 1) * each));
      this.#runAndRead(
        wanted.map(({ step, ...output }) => ({ ...output, values: part(maps.get(step)!, i, count) })),
      );
      this.#readTaps(part(codes, i, count));
    }
    return { codes, maps };
  }

  #countOf({ length }: Uint8Array | Float32Array): number {
    const { shape, place } = this.#compiled.input;
    const count = length / sizeOf(shape);
    if (!Number.isInteger(count)) {
      const [unit, what] = place instanceof FeatureMap ? ['numbers', 'maps'] : ['bytes', 'pictures'];
      const { height, width, channels } = shape;
      throw new RangeError(
        `${length} ${unit} are no whole number of ${height}×${width}×${channels} ${what}.`,
      );
    }
    return count;
  }

  #write(input: Uint8Array | Float32Array): void {
    const { place } = this.#compiled.input;
    const { buffer } = this.#machine;
    if (place instanceof FeatureMap) writeMap(place, new Float32Array(buffer), input);
    else new Uint8Array(buffer).set(input, place.address);
  }

  /** @param wanted in the order of the run, each with room for its values. */
  #runAndRead(wanted: readonly (Output & { readonly values: Float32Array })[]): void {
    let done = 0;
    for (const { read, after, values } of wanted) {
      this.#loaded.run(done, after);
      read(this.#machine.buffer, values);
      done = after;
    }
    this.#loaded.run(done);
  }

  #readTaps(code: Float32Array): void {
    let offset = 0;
    for (const { region, channels } of this.#compiled.taps) {
      code.set(new Float32Array(this.#machine.buffer, region.address, channels), offset);
      offset += channels;
    }
  }
}

function sizeOf({ height, width, channels }: FeatureMap['shape']): number {
  return height * width * channels;
}

/** The i-th of `count` equal parts; shares memory. */
function part(values: Float32Array, i: number, count: number): Float32Array {
  const each = values.length / count;
  return values.subarray(i * each, (i + 1) * each);
}
