/**
 * Workers AI's image classification (@cf/microsoft/resnet-50) over REST: a picture as the body or JSON {"image": [bytes]},
 * answered in Cloudflare's envelope. The last part of the model's name is the head: `@cf/microsoft/resnet-50` calls a head
 * named resnet-50, `@headwater/recycling` one named recycling. The account is not looked at; the key says whose it is.
 * https://developers.cloudflare.com/workers-ai/models/resnet-50/
 */
import { z } from 'zod';
import type { Problem } from '../../src/api/index.ts';
import { MAX_FILE_BYTES } from '../../src/image/limits.ts';
import { numberList } from '../../src/number-list.ts';
import type { App } from '../env.ts';
import { callerOf, topIndices } from '../predict/predict.ts';
import { requireScope } from '../access/auth.ts';
import { checkJson, mediaType } from '../http/body.ts';
import { borrow } from '../http/pictures.ts';
import type { Services } from '../isolate/services.ts';
import { problemShape } from './problem-shape.ts';
import { headReference, TENSOR_JSON, scorePicture } from './scores.ts';

const PATH = '/client/v4/accounts/:account/ai/run/:model{.+}';
/** Errors of addresses that are no route, or too long to be one (address.ts), have the protocol's shape as well. */
const ALL_PATHS = '/client/*';
/** As many labels as resnet-50 answers with. */
const LABELS = 5;

const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 255;
export const WorkersAiInput = z.object({
  image: numberList({ least: 1, most: MAX_FILE_BYTES, isAllowed: isByte }),
});

export function addWorkersAi(app: App, services: Services): void {
  const { keys, loader } = services;
  app.use(ALL_PATHS, problemShape(envelopeOf));
  app.post(PATH, requireScope(keys, 'read', 'classify'), async (c) => {
    const { head: name, version } = headReference(lastPart(c.req.param('model')));
    const caller = callerOf(c);
    const head = await loader.find(c.env, caller.tenant, name, version);
    const answer = async (picture: Uint8Array): Promise<Response> => {
      const { labels, probabilities } = await scorePicture(services, caller, head, picture);
      const result = topIndices(probabilities, LABELS).map((i) => ({
        label: labels[i],
        score: probabilities[i],
      }));
      return c.json({ result, success: true, errors: [], messages: [] });
    };
    if (mediaType(c.req.raw) !== 'application/json') {
      return services.withPictures(c.req.raw, caller.work.memory, 1, ([picture]) => answer(picture));
    }
    return borrow(c.req.raw, caller.work.memory, TENSOR_JSON, async (body) =>
      answer(Uint8Array.from(checkJson(body, WorkersAiInput).image)),
    );
  });
}

/** The model's name without its maker: `name` or `name@version` after the last slash. */
function lastPart(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1);
}

function envelopeOf({ status, code, detail, instance }: Problem): object {
  // Cloudflare's codes are numbers; ours are words, told along.
  return {
    result: null,
    success: false,
    errors: [{ code: status, message: detail, error: code, request_id: instance }],
    messages: [],
  };
}
