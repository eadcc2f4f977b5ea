/** headwater export: a head with its backbone as a model that other tools run. */
import { join } from 'node:path';
import { headToOnnx, headToTflite, headToTfjsGraph } from '../../src/export/index.ts';
import { byteSize, writeWhole } from '../files.ts';
import { readHeadFile } from '../head-file.ts';
import { readingOf } from '../reading.ts';
import { readBackbone } from '../runtime.ts';
import { table, type Terminal } from '../cli/terminal.ts';

export interface ExportOptions {
  readonly format: 'onnx' | 'tflite' | 'tfjs-graph';
  readonly out: string;
}

/** @throws FileError; HeadwaterError when the head's backbone is not here. */
export async function exportCommand(file: string, options: ExportOptions, terminal: Terminal): Promise<void> {
  const { head } = await readHeadFile(file);
  const { backbone } = readingOf(head, await readBackbone(head.backbone.weightsSha256));
  const files = new Map<string, Uint8Array | string>();
  if (options.format === 'onnx') files.set('model.onnx', headToOnnx(head, backbone));
  else if (options.format === 'tflite') files.set('model.tflite', headToTflite(head, backbone));
  else {
    const { json, shards } = headToTfjsGraph(head, backbone);
    for (const [name, shard] of shards) files.set(name, shard);
    files.set('model.json', JSON.stringify(json));
  }
  files.set('labels.json', `${JSON.stringify(head.labels, null, 2)}\n`);
  const rows: string[][] = [];
  for (const [name, contents] of files) {
    const path = join(options.out, name);
    await writeWhole(path, contents);
    rows.push([path, byteSize(Buffer.byteLength(contents))]);
  }
  const { height, width } = head.input ?? backbone.plan.input;
  terminal.print(table(['file', 'size'], rows));
  terminal.note(INPUT[options.format](height, width));
  terminal.result({ format: options.format, files: rows.map(([path]) => path), labels: head.labels });
}

const INPUT = {
  onnx: (height: number, width: number) =>
    `Input 'pixels': uint8 [n, ${height}, ${width}, 3]; outputs 'probabilities' and 'codes'.`,
  tflite: (height: number, width: number) =>
    `Input 'pixels': uint8 [1, ${height}, ${width}, 3]; outputs 'codes' and 'probabilities'.`,
  'tfjs-graph': (height: number, width: number) =>
    `Input 'pixels': float32 [n, ${height}, ${width}, 3], from 0 to 255; outputs 'probabilities' and 'codes'.`,
};
