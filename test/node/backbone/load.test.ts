import { describe, expect, it } from 'vitest';
import { loadBackbone } from '../../../src/backbone/index.ts';
import { readSafetensors, tensorOf, writeSafetensors } from '../../../src/safetensors.ts';
import { thrownBy } from '../thrown.ts';

interface LooseStep {
  [field: string]: unknown;
}

const f32 = (...shape: number[]): ReturnType<typeof tensorOf> =>
  tensorOf(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

/** A sound little network; each test breaks one thing about it. */
function sound() {
  const steps: LooseStep[] = [
    {
      op: 'conv',
      name: 'stem',
      input: 'input',
      weights: 'w',
      bias: 'b',
      stride: 2,
      padding: [1, 1, 1, 1],
      activation: 'relu',
    },
    { op: 'depthwise', name: 'dw', input: 'stem', weights: 'dw', bias: 'b', stride: 1, padding: [1, 0, 2, 0], activation: 'none' }, // prettier-ignore
    { op: 'squeeze-excite', name: 'se', input: 'stem', reduceWeights: 'rw', reduceBias: 'rb', expandWeights: 'ew', expandBias: 'b' }, // prettier-ignore
    { op: 'add', name: 'sum', input: 'se', other: 'stem' },
    { op: 'mean', name: 'pool', input: 'sum' },
    { op: 'dense', name: 'out', input: 'pool', weights: 'ow', bias: 'ob', activation: 'none' },
  ];
  const plan = {
    format: 'headwater-plan/1' as string,
    name: 'little',
    version: '1',
    weightsSha256: 'a'.repeat(64),
    input: { height: 8, width: 6, channels: 3, padValue: [1, 2, 3] },
    steps,
    taps: [{ name: 'tap', step: 'dw', channels: 4 }, { name: 'out', step: 'out', channels: 5 }], // prettier-ignore
  };
  const tensors = new Map([
    ['w', f32(3, 3, 3, 4)],
    ['b', f32(4)],
    ['dw', f32(3, 3, 4)],
    ['rw', f32(4, 2)],
    ['rb', f32(2)],
    ['ew', f32(2, 4)],
    ['ow', f32(4, 5)],
    ['ob', f32(5)],
  ]);
  return { plan, tensors };
}

type Sound = ReturnType<typeof sound>;

function load({ plan, tensors }: Sound): ReturnType<typeof loadBackbone> {
  return loadBackbone(plan, writeSafetensors(tensors));
}

describe('loadBackbone', () => {
  it('infers the shape of every step', () => {
    const backbone = load(sound());
    expect(Object.fromEntries(backbone.shapes)).toEqual({
      input: { height: 8, width: 6, channels: 3 },
      stem: { height: 4, width: 3, channels: 4 },
      dw: { height: 3, width: 3, channels: 4 },
      se: { height: 4, width: 3, channels: 4 },
      sum: { height: 4, width: 3, channels: 4 },
      pool: { height: 1, width: 1, channels: 4 },
      out: { height: 1, width: 1, channels: 5 },
    });
    expect(backbone.codeLength).toBe(9);
  });

  it('widens half precision', () => {
    const broken = sound();
    broken.tensors.set('b', tensorOf(Float16Array.of(1, 2, 3, 0.1), [4]));
    expect([...load(broken).tensors.get('b')!]).toEqual([1, 2, 3, 0.0999755859375]);
  });

  const cases: [what: string, spoil: (network: Sound) => void, message: string][] = [
    ['another format', (n) => (n.plan.format = 'headwater-plan/2'), 'format'],
    ['a hash in capitals', (n) => (n.plan.weightsSha256 = 'A'.repeat(64)), 'SHA-256'],
    ['no steps', (n) => (n.plan.steps = []), 'steps'],
    ['too many steps', (n) => (n.plan.steps = Array<LooseStep>(2000).fill(n.plan.steps[0])), 'steps'],
    ['an unknown step', (n) => (n.plan.steps[0]['op'] = 'attention'), 'op'],
    ['an unknown activation', (n) => (n.plan.steps[0]['activation'] = 'gelu'), 'activation'],
    ['an unknown field', (n) => (n.plan.steps[0]['dilation'] = 2), 'dilation'],
    ['a stride of 0', (n) => (n.plan.steps[0]['stride'] = 0), 'stride'],
    ['negative padding', (n) => (n.plan.steps[0]['padding'] = [-1, 0, 0, 0]), 'padding'],
    ['a picture of 10⁶ rows', (n) => (n.plan.input.height = 1_000_000), 'height'],
    ['a pad value too few', (n) => n.plan.input.padValue.pop(), 'padValue'],
    ["a step named 'input'", (n) => (n.plan.steps[0]['name'] = 'input'), "'input'"],
    ['two steps of one name', (n) => (n.plan.steps[1]['name'] = 'stem'), "two steps are named 'stem'"],
    ['a step that reads a later one', (n) => (n.plan.steps[0]['input'] = 'dw'), "step 'stem': it reads 'dw'"],
    ['a step that reads itself', (n) => (n.plan.steps[3]['other'] = 'sum'), "reads 'sum'"],
    ['weights that are missing', (n) => n.tensors.delete('w'), "no tensor 'w'"],
    ['weights of another rank', (n) => n.tensors.set('w', f32(27, 4)), "tensor 'w' is [27, 4]"],
    ['weights without elements', (n) => n.tensors.set('w', f32(3, 0, 3, 4)), "tensor 'w' is [3, 0, 3, 4]"],
    ['weights for other channels', (n) => n.tensors.set('w', f32(3, 3, 2, 4)), 'its weights read 2 channels'],
    ['depthwise weights for other channels', (n) => n.tensors.set('dw', f32(3, 3, 5)), 'its weights read 5'],
    ['a bias of another length', (n) => n.tensors.set('b', f32(3)), "tensor 'b' has 3 elements"],
    [
      'a kernel larger than the map',
      (n) => n.tensors.set('dw', f32(30, 3, 4)),
      'larger than its padded input',
    ],
    ['a kernel beyond bounds', (n) => n.tensors.set('dw', f32(32, 3, 4)), 'larger than 31'],
    ['squeeze-excite of other channels', (n) => n.tensors.set('ew', f32(3, 4)), "step 'se'"],
    ['an addition of different maps', (n) => (n.plan.steps[3]['other'] = 'dw'), 'differ in shape'],
    ['a dense layer on a map', (n) => (n.plan.steps[5]['input'] = 'sum'), '1×1 map'],
    ['dense weights for other inputs', (n) => n.tensors.set('ow', f32(3, 5)), 'its weights read 3'],
    [
      'a batch norm that is missing',
      (n) => (n.plan.steps[0]['batchNorm'] = { gamma: 'g', beta: 'b' }),
      "no tensor 'g'",
    ],
    ['a tap of no step', (n) => (n.plan.taps[0].step = 'nowhere'), "tap 'tap' reads 'nowhere'"],
    ['a tap of the picture', (n) => (n.plan.taps[0].step = 'input'), "reads 'input'"],
    ['a tap of other channels', (n) => (n.plan.taps[0].channels = 3), 'claims 3 channels'],
    ['two taps of one name', (n) => (n.plan.taps[1].name = 'tap'), "two taps are named 'tap'"],
    [
      'a weight in half precision that is infinite',
      (n) => n.tensors.set('b', tensorOf(Float16Array.of(0, 0, -Infinity, 0), [4])),
      'not finite',
    ],
    [
      'a weight that is NaN',
      (n) => n.tensors.set('b', tensorOf(Float32Array.of(0, NaN, 0, 0), [4])),
      'not finite',
    ],
  ];
  for (const [what, spoil, message] of cases) {
    it(`refuses ${what}`, () => {
      const broken = sound();
      spoil(broken);
      const error = thrownBy(() => load(broken));
      expect(error.code).toBe('backbone_invalid');
      expect(error.message).toContain(message);
    });
  }

  it('refuses a plan that is no object', () => {
    const weights = writeSafetensors(sound().tensors);
    for (const plan of [null, 3, 'plan', []]) {
      expect(() => loadBackbone(plan, weights)).toThrow(
        expect.objectContaining({ code: 'backbone_invalid' }),
      );
    }
  });

  it('refuses weights that are no safetensors file', () => {
    expect(thrownBy(() => loadBackbone(sound().plan, new Uint8Array(4))).code).toBe('file_corrupt');
  });

  it('leaves the bytes it was given as they were', () => {
    const weights = writeSafetensors(sound().tensors);
    const copy = weights.slice();
    loadBackbone(sound().plan, weights);
    expect(weights).toEqual(copy);
    expect(readSafetensors(weights).tensors.size).toBe(8);
  });
});
