/**
 * Hugging Face's image-classification task, as its inference providers and endpoints answer it: a picture as the body, or
 * JSON {"inputs": base64, "parameters": {…}}; parameters may also stand in the query, for clients that send none with a
 * picture. The head's name, with an optional @version, is the model.
 * https://huggingface.co/docs/inference-providers/tasks/image-classification
 */
import { z } from 'zod';
import type { App } from '../env.ts';
import { callerOf, topIndices } from '../predict/predict.ts';
import { requireScope } from '../access/auth.ts';
import { checkJson, invalidInput, mediaType } from '../http/body.ts';
import { borrow, fromBase64, JSON_PICTURE } from '../http/pictures.ts';
import type { Services } from '../isolate/services.ts';
import { problemShape } from './problem-shape.ts';
import { headReference, scorePicture, type Scores } from './scores.ts';

const PATH = '/hf-inference/models/:model';
/** Errors of addresses that are no route, or too long to be one (address.ts), have the protocol's shape as well. */
const ALL_PATHS = '/hf-inference/*';
const DEFAULT_TOP_K = 5;
const MAX_TOP_K = 10_000;

const TopK = z.coerce.number().pipe(z.int().min(1).max(MAX_TOP_K));
const Parameters = z.object({
  top_k: TopK.nullish().transform((value) => value ?? DEFAULT_TOP_K),
  function_to_apply: z
    .enum(['softmax', 'sigmoid', 'none'])
    .nullish()
    .transform((value) => value ?? 'softmax'),
});
type Parameters = z.infer<typeof Parameters>;

const Input = z.object({
  inputs: z.string().min(1),
  // Others, of which there may be 100,000, are left out before anything is done with them.
  parameters: z.object({ top_k: z.unknown(), function_to_apply: z.unknown() }).partial().nullish(),
});

export function addHuggingFace(app: App, services: Services): void {
  const { keys, loader } = services;
  app.use(
    ALL_PATHS,
    problemShape((problem) => ({ ...problem, error: problem.detail })),
  );
  app.post(PATH, requireScope(keys, 'read', 'classify'), async (c) => {
    const { head: name, version } = headReference(c.req.param('model'));
    const query = parametersOf(c.req.query(), 'the query');
    const caller = callerOf(c);
    const head = await loader.find(c.env, caller.tenant, name, version);
    const answer = async (picture: Uint8Array, parameters: Parameters): Promise<Response> => {
      const scores = await scorePicture(services, caller, head, picture);
      return c.json(best(scores, parameters));
    };
    if (mediaType(c.req.raw) !== 'application/json') {
      return services.withPictures(c.req.raw, caller.work.memory, 1, ([picture]) => answer(picture, query));
    }
    return borrow(c.req.raw, caller.work.memory, JSON_PICTURE, async (body) => {
      const { inputs, parameters } = checkJson(body, Input);
      return answer(
        fromBase64(inputs, 'inputs'),
        parametersOf({ ...c.req.query(), ...parameters }, 'the parameters'),
      );
    });
  });
}

/** @throws ApiError invalid_request */
function parametersOf(values: Readonly<Record<string, unknown>>, where: string): Parameters {
  const result = Parameters.safeParse(values);
  if (!result.success) throw invalidInput(result.error, where);
  return result.data;
}

function best(
  { labels, logits, probabilities }: Scores,
  parameters: Parameters,
): { label: string; score: number }[] {
  const values = { softmax: probabilities, sigmoid: logits.map(sigmoid), none: logits }[
    parameters.function_to_apply
  ];
  return topIndices(values, parameters.top_k).map((i) => ({ label: labels[i], score: values[i] }));
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
