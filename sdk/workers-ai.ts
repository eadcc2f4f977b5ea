/**
 * A stand-in for the `AI` binding of Workers AI, for image classification: `env.AI.run('@cf/microsoft/resnet-50',
 * { image })` becomes `AI.run(…)` with the same arguments and answer. The last part of the model's name is the head.
 */
import { HeadwaterClient } from './client.ts';
import type { ClientOptions } from './transport.ts';

export interface ImageClassificationInput {
  /** The bytes of a JPEG, PNG or WebP. */
  readonly image: readonly number[] | Uint8Array;
}

export interface ImageClassificationLabel {
  readonly label: string;
  readonly score: number;
}

/** The part of the binding that image classification uses. */
export interface ImageClassificationBinding {
  /**
   * @param model `…/name` or `…/name@version`; the part after the last slash names the head, and a version by its number or name.
   * @throws ApiError
   */
  run(model: string, input: ImageClassificationInput): Promise<ImageClassificationLabel[]>;
}

/** As many labels as resnet-50 answers with. */
const LABELS = 5;

export function workersAi(options: ClientOptions): ImageClassificationBinding {
  const client = new HeadwaterClient(options);
  return {
    async run(model, { image }) {
      const [head, version] = model.slice(model.lastIndexOf('/') + 1).split('@');
      const picture = { bytes: Uint8Array.from(image), type: 'application/octet-stream' };
      return (await client.classify(head, picture, { topK: LABELS, version })).predictions;
    },
  };
}
