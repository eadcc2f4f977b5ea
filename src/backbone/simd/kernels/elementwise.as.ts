/** Arithmetic element by element. */
import { PIXEL_BYTES } from '../sizes';
import { TwoMaps } from './shared/two-maps.as';

/** output = input · factors, or input + other, or a copy of the input. */
@unmanaged
export class Elementwise extends TwoMaps {
  // other: a map, or 0
  /** f32[blocks][8], or 0. */
  factors: usize;
}

@inline
function elementwiseAs(s: Elementwise, scaled: bool, added: bool): void {
  for (let block = 0; block < s.blocks; block++) {
    const factors = s.factors + (block << 5);
    const low = scaled ? v128.load(factors) : f32x4.splat(1), high = scaled ? v128.load(factors, 16) : low;
    let from = s.input + block * s.inputPlane, to = s.output + block * s.outputPlane, other = s.other + block * s.otherPlane;
    for (let y = 0; y < s.height; y++) {
      for (let x = 0; x < s.rowBytes; x += PIXEL_BYTES) {
        const a = v128.load(from + x), b = v128.load(from + x, 16);
        const c = scaled ? f32x4.mul(a, low) : added ? f32x4.add(a, v128.load(other + x)) : a;
        const d = scaled ? f32x4.mul(b, high) : added ? f32x4.add(b, v128.load(other + x, 16)) : b;
        v128.store(to + x, c); v128.store(to + x, d, 16);
      }
      from += s.inputRow; to += s.outputRow; other += s.otherRow;
    }
  }
}

export function elementwise(s: Elementwise): void {
  if (s.factors) elementwiseAs(s, true, false);
  else if (s.other) elementwiseAs(s, false, true);
  else elementwiseAs(s, false, false);
}
