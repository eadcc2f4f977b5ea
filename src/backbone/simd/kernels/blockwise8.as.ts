/** A convolution of codes and the depthwise one that reads it, by turns, so that the block between them stays in the cache. */
import { Conv16, conv16Octets } from './conv16.as';
import { Conv8, conv8Octets } from './conv8.as';
import { Depthwise16, depthwise16Octets } from './depthwise16.as';
import { Depthwise8, depthwise8Octets } from './depthwise8.as';

@unmanaged
export class Blockwise8 {
  kernel: i32;
  /** A step of conv8 or conv16, whose output is one block, and its plane 0; so is the depthwise step's input. */
  conv: usize;
  depthwise: usize;
  /** Whether they are of 16 bits. */
  wide: i32;
}

export function blockwise8(s: Blockwise8): void {
  if (s.wide) {
    const conv = changetype<Conv16>(s.conv), depthwise = changetype<Depthwise16>(s.depthwise);
    for (let octet = 0; octet < conv.octets; octet++) {
      conv16Octets(conv, conv.output, octet, octet + 1);
      depthwise16Octets(depthwise, octet, octet + 1);
    }
    return;
  }
  const conv = changetype<Conv8>(s.conv), depthwise = changetype<Depthwise8>(s.depthwise);
  for (let octet = 0; octet < conv.octets; octet += 2) {
    const end = min(octet + 2, conv.octets);
    conv8Octets(conv, octet, end);
    depthwise8Octets(depthwise, octet, end);
  }
}
