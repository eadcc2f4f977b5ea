/**
 * The Open Inference Protocol, version 2 (KServe, Triton): health, metadata and inference over REST. A head is a model;
 * its versions are the model's. https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
 */
import type { Context } from 'hono';
import { version as serverVersion } from '../../package.json';
import type { HeadDetail } from '../../src/api/index.ts';
import type { App, AppEnv } from '../env.ts';
import { callerOf } from '../predict/predict.ts';
import { requireScope } from '../access/auth.ts';
import { checkJson } from '../http/body.ts';
import type { LoadedHead } from '../stores/head-loader.ts';
import { MAX_TENSOR_JSON_PARTS } from '../limits.ts';
import { borrow } from '../http/pictures.ts';
import { ApiError } from '../http/problem.ts';
import type { Services } from '../isolate/services.ts';
import { headNotFound } from '../stores/pointers.ts';
import { callTenant } from '../tenant/call.ts';
import { InferRequest, scoreInput } from './open-inference-input.ts';
import { problemShape } from './problem-shape.ts';
import { headReference, TENSOR_JSON, type HeadReference, type Scores } from './scores.ts';

const OUTPUTS = ['probabilities', 'labels', 'label', 'unknown'] as const;
type OutputName = (typeof OUTPUTS)[number];

interface OutputTensor {
  readonly name: string;
  readonly datatype: 'FP32' | 'BYTES';
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

export function addOpenInference(app: App, services: Services): void {
  const { keys } = services;
  app.use(
    '/v2/*',
    problemShape(({ detail, code, instance }) => ({ error: detail, code, instance })),
  );
  app.get('/v2', (c) => c.json({ name: 'headwater', version: serverVersion, extensions: [] }));
  app.get('/v2/health/live', (c) => c.json({ live: true }));
  app.get('/v2/health/ready', (c) => c.json({ ready: true }));
  const [read, infer] = [requireScope(keys, 'read', 'manage'), requireScope(keys, 'read', 'classify')];
  for (const model of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get(model, read, async (c) => {
      const { head } = modelOf(c);
      const loaded = await load(services, c);
      const detail = await callTenant(c.env, c.var.principal.tenant, (stub) => stub.heads.describe(head));
      if (detail === null) throw headNotFound(head);
      return c.json(metadata(loaded, detail));
    });
    app.get(`${model}/ready`, read, async (c) => {
      const { file } = await load(services, c);
      return c.json({ name: file.head, ready: true });
    });
    app.post(`${model}/infer`, infer, async (c) => {
      const caller = callerOf(c);
      const head = await load(services, c);
      return borrow(c.req.raw, caller.work.memory, TENSOR_JSON, async (body) => {
        const request = checkJson(body, InferRequest, MAX_TENSOR_JSON_PARTS);
        const wanted = outputsOf(request.outputs);
        const { loaded, scores } = await scoreInput(services, caller, head, request.inputs);
        const outputs = tensors(scores, loaded, wanted);
        const { id } = request;
        return c.json({
          model_name: loaded.file.head,
          model_version: String(loaded.file.version),
          id,
          outputs,
        });
      });
    });
  }
}

function modelOf(c: Context<AppEnv>): HeadReference {
  const version = c.req.param('version');
  return headReference(`${c.req.param('model') ?? ''}${version === undefined ? '' : `@${version}`}`);
}

function load({ loader }: Services, c: Context<AppEnv>): Promise<LoadedHead> {
  const { head, version } = modelOf(c);
  return loader.find(c.env, c.var.principal.tenant, head, version);
}

function metadata({ file, head, runtime }: LoadedHead, detail: HeadDetail): object {
  const { plan, input, engine } = runtime;
  const { height, width } = input;
  const { channels } = plan.input;
  const classes = head.labels.length;
  return {
    name: file.head,
    versions: detail.versions.map(({ version }) => String(version)),
    platform: 'headwater',
    inputs: [
      { name: 'image', datatype: 'BYTES', shape: [-1] },
      { name: 'pixels', datatype: 'FP32', shape: [-1, height, width, channels] },
      { name: 'code', datatype: 'FP32', shape: [-1, engine.codeLength] },
    ],
    outputs: [
      { name: 'probabilities', datatype: 'FP32', shape: [-1, classes] },
      { name: 'labels', datatype: 'BYTES', shape: [classes] },
      { name: 'label', datatype: 'BYTES', shape: [-1] },
      { name: 'unknown', datatype: 'FP32', shape: [-1] },
    ],
  };
}

function outputsOf(wanted: readonly { readonly name: string }[] | undefined): readonly OutputName[] {
  if (wanted === undefined || wanted.length === 0) return OUTPUTS;
  return wanted.map(({ name }) => {
    const known = OUTPUTS.find((output) => output === name);
    if (known === undefined) {
      throw new ApiError(
        'invalid_request',
        `There is no output '${name.slice(0, 80)}'; there are ${OUTPUTS.join(', ')}.`,
        { field: 'outputs' },
      );
    }
    return known;
  });
}

function tensors(
  scores: readonly Scores[],
  { head }: LoadedHead,
  wanted: readonly OutputName[],
): OutputTensor[] {
  const n = scores.length;
  const { labels } = head;
  const make: Record<OutputName, () => Omit<OutputTensor, 'name'>> = {
    probabilities: () => ({
      datatype: 'FP32',
      shape: [n, labels.length],
      data: scores.flatMap(({ probabilities }) => Array.from(probabilities)),
    }),
    labels: () => ({ datatype: 'BYTES', shape: [labels.length], data: labels }),
    label: () => ({
      datatype: 'BYTES',
      shape: [n],
      data: scores.map(({ probabilities }) => labels[probabilities.indexOf(Math.max(...probabilities))]),
    }),
    unknown: () => ({ datatype: 'FP32', shape: [n], data: scores.map(({ unknown }) => unknown.score) }),
  };
  return wanted.map((name) => ({ name, ...make[name]() }));
}
