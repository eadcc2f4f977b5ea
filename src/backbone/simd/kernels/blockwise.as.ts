/** A convolution and the depthwise one that reads it, by turns, so that the block between them never leaves the cache. */
import { Conv, convBlocks } from './conv.as';
import { Depthwise, depthwiseBlocks } from './depthwise.as';
import { Statistics, statisticsBlocks } from './statistics.as';

@unmanaged
export class Blockwise {
  kernel: i32;
  /** Its output is one block, and its plane 0; so is the depthwise step's input. */
  conv: Conv;
  depthwise: Depthwise;
  /** Of the depthwise step's output, or 0. */
  statistics: usize;
}

export function blockwise(s: Blockwise): void {
  for (let block = 0; block < s.conv.octets; block++) {
    convBlocks(s.conv, s.conv.output, block, block + 1);
    depthwiseBlocks(s.depthwise, block, block + 1);
    if (s.statistics) statisticsBlocks(changetype<Statistics>(s.statistics), block, block + 1);
  }
}
