/** The files of a TensorFlow.js model, from a folder or from the web: model.json and the shards that it names. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { FileError } from '../cli/failure.ts';
import { MAX_MODEL_JSON_BYTES } from './limits.ts';
import { invalid, unsupported } from './model-error.ts';
import { groupBytes, manifestSchema, shardPaths, type Manifest } from './weights.ts';

export interface ModelFiles {
  readonly format: 'layers-model' | 'graph-model';
  readonly topology: unknown;
  readonly manifest: Manifest;
  /** The joined shards of each group of the manifest. */
  readonly groups: readonly Uint8Array[];
  /** Of model.json and all shards, in the order of the manifest. */
  readonly sha256: string;
  /** The graph's declared inputs and outputs, where there are any. */
  readonly signature: unknown;
}

/** Reads a file of the model, of at most so many bytes. */
export type ReadPart = (path: string, maxBytes: number) => Promise<Uint8Array>;

const modelSchema = z.object({
  format: z.string().optional(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: manifestSchema,
  signature: z.unknown().optional(),
});

/** @throws ModelError when model.json is none; whatever `read` throws. */
export async function readModelFiles(read: ReadPart): Promise<ModelFiles> {
  const json = await read('model.json', MAX_MODEL_JSON_BYTES);
  const model = modelSchema.safeParse(parseJson(json, 'model.json'));
  if (!model.success) throw invalid(`model.json: ${z.prettifyError(model.error)}`);
  const { modelTopology: topology, weightsManifest: manifest, format, signature } = model.data;
  const sizes = groupBytes(manifest);
  const hash = createHash('sha256').update(json);
  for (const path of shardPaths(manifest)) {
    if (!/^[\w][\w.-]*$/.test(path)) throw invalid(`a shard is named ${JSON.stringify(path.slice(0, 100))}`);
  }
  const groups: Uint8Array[] = [];
  for (const [index, { paths }] of manifest.entries()) {
    const shards: Uint8Array[] = [];
    for (const path of paths) {
      const shard = await read(path, sizes[index]);
      hash.update(shard);
      shards.push(shard);
    }
    groups.push(new Uint8Array(Buffer.concat(shards)));
  }
  const isGraph = 'node' in topology;
  if (format !== undefined && format !== 'layers-model' && format !== 'graph-model') {
    throw unsupported(`its format is '${format.slice(0, 50)}'`);
  }
  return {
    format: isGraph ? 'graph-model' : 'layers-model',
    topology,
    manifest,
    groups,
    sha256: hash.digest('hex'),
    signature,
  };
}

/** Parts of a model in a folder. @throws FileError, ModelError */
export function fromFolder(folder: string): ReadPart {
  return async (path, maxBytes) => {
    const file = join(folder, path);
    try {
      const { size } = await stat(file);
      if (size <= maxBytes) return await readFile(file);
    } catch (error) {
      throw new FileError(`Could not read ${file}`, error);
    }
    throw invalid(`${path} has more than the ${maxBytes} bytes that it may have`);
  };
}

/** Parts of a model on the web, beside its model.json. @throws FileError, ModelError */
export function fromUrl(modelUrl: URL): ReadPart {
  return async (path, maxBytes) => {
    const url = new URL(path, modelUrl);
    // Kaggle and TF Hub want it for the parts as for the whole.
    url.search = modelUrl.search;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
      if (!response.ok || response.body === null) throw new Error(`the server answers ${response.status}`);
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of response.body) {
        bytes += part.length;
        if (bytes > maxBytes) throw invalid(`${path} has more than the ${maxBytes} bytes that it may have`);
        parts.push(part);
      }
      return Buffer.concat(parts);
    } catch (error) {
      if (error instanceof Error && error.name === 'ModelError') throw error;
      throw new FileError(`Could not fetch ${url.href}`, error);
    }
  };
}

const DOWNLOAD_TIMEOUT_MS = 120_000;

/** @throws ModelError */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid(`${name} is not JSON`, cause);
  }
}
