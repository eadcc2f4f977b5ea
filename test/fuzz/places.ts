/** The calls that take a body, of our own API and of the other protocols, and the right bodies that cases are made of. */
import { fuzzedBackup } from './backups.ts';
import type { Bytes } from './bytes.ts';
import { fuzzedForm } from './forms.ts';
import { fuzzedHeadFile } from './head-files.ts';
import { fuzzedJson, written, type Json } from './json.ts';
import { fuzzedPicture, type Source } from './pictures.ts';
import type { Random } from './random.ts';
import { fuzzedZip } from './zips.ts';

/** What a tenant has, for requests to name. */
export interface World {
  readonly pictures: readonly Source[];
  readonly head: Uint8Array;
  readonly backup: Uint8Array;
  readonly backbone: Json;
  /** In base64, of the backbone. */
  readonly code: string;
  readonly example: string;
  readonly prediction: string;
  /** Custom Vision's project, and one of its tags. */
  readonly project: string;
  readonly tag: string;
}

export interface Body {
  readonly type: string;
  readonly bytes: Bytes;
}

export interface Place {
  readonly method: string;
  readonly path: string;
  /** Whose key: the admin secret, or that of a tenant that has nothing yet. */
  readonly as?: 'admin' | 'spare';
  readonly body: (random: Random, world: World) => Body;
}

type Make = Place['body'];

/** Whole or damaged. */
const pictureOf = (random: Random, { pictures }: World): Uint8Array<ArrayBuffer> =>
  random.oneIn(2) ? new Uint8Array(random.pick(pictures).bytes) : fuzzedPicture(random, pictures).bytes;

const picture: Make = (random, world) => ({
  type: random.pick(['image/jpeg', 'application/octet-stream', 'image/x']),
  bytes: pictureOf(random, world),
});

/** Of pictures, some of them damaged, in fields of these names. */
const form =
  (...names: readonly string[]): Make =>
  (random, world) => {
    const fields = Array.from({ length: random.below(4) }, (_, i) => ({
      name: random.pick(names),
      filename: `${i}.jpg`,
      bytes: pictureOf(random, world),
    }));
    return fuzzedForm(random, fields);
  };

const zip: Make = (random, { pictures }) => {
  const files = Array.from({ length: random.below(4) }, () => random.pick(pictures).bytes);
  return { type: 'application/zip', bytes: fuzzedZip(random, files) };
};

const json =
  (make: (world: World, random: Random) => Json): Make =>
  (random, world) => {
    const value = make(world, random);
    // What is right may do something, to which the next one comes.
    const text = random.oneIn(4) ? written(value) : fuzzedJson(random, value);
    return { type: 'application/json', bytes: new TextEncoder().encode(text) };
  };

const either =
  (...makes: readonly Make[]): Make =>
  (random, world) =>
    random.pick(makes)(random, world);

const base64 = (world: World, random: Random): string =>
  Buffer.from(pictureOf(random, world)).toString('base64');

const URL = 'http://127.0.0.1:1/a.jpg';
const jsonPicture = either(
  json((world, random) => ({ image: base64(world, random) })),
  json(() => ({ url: URL })),
);
const anyPicture = either(picture, picture, form('image'), jsonPicture);

const batches = json((world, random) => ({
  backbone: world.backbone,
  examples: [
    { label: 'tabby', image: base64(world, random) },
    { label: 'poodle', code: world.code },
    random.oneIn(4) ? { label: 'poodle', url: URL } : { label: 'tabby', image: base64(world, random) },
  ].slice(0, 1 + random.below(3)),
}));

const tensors = either(
  json((world, random) => ({
    id: 'a',
    inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: [base64(world, random)] }],
    outputs: [{ name: 'label' }],
  })),
  json(() => ({
    inputs: [{ name: 'code', datatype: 'FP32', shape: [1, 2208], data: Array<number>(2208).fill(0.5) }],
  })),
);

const numbers = json((world, random) => ({
  image: [...random.pick(world.pictures).bytes.subarray(0, 3_000)],
}));
const project = '/customvision/v3.3/Training/projects/{project}';
const prediction = '/customvision/v3.0/Prediction/{project}/classify/iterations/live';

export const PLACES: readonly Place[] = [
  { method: 'POST', path: '/v1/heads/pets/classify', body: anyPicture },
  { method: 'POST', path: '/v1/heads/pets/classify?explain=label', body: anyPicture },
  { method: 'POST', path: '/v1/classify?heads=pets,taught', body: anyPicture },
  { method: 'POST', path: '/v1/embed', body: anyPicture },
  { method: 'POST', path: '/v1/heads/pets/classify-batch', body: either(zip, zip, form('image', 'a')) },
  {
    method: 'POST',
    path: '/v1/heads/taught/teach?train=false',
    body: either(form('tabby', 'poodle', ''), batches),
  },
  { method: 'POST', path: '/v1/heads/taught/teach', body: either(form('tabby', 'poodle'), batches) },
  {
    method: 'POST',
    path: '/v1/heads/taught/feedback',
    body: json((world) => ({ id: world.prediction, label: 'tabby' })),
  },
  { method: 'PATCH', path: '/v1/heads/taught/examples/{example}', body: json(() => ({ label: 'poodle' })) },
  {
    method: 'PUT',
    path: '/v1/heads/new',
    body: (random, { head }) => ({ type: 'application/octet-stream', bytes: fuzzedHeadFile(random, head) }),
  },
  {
    method: 'PUT',
    path: '/v1/heads/pets/settings',
    body: json(() => ({ guard_margin: 0.05, capture: true })),
  },
  { method: 'PUT', path: '/v1/settings', body: json(() => ({ keep_images: true })) },
  { method: 'POST', path: '/v1/heads/taught/versions/1/activate', body: json(() => ({ percent: 50 })) },
  { method: 'PUT', path: '/v1/heads/taught/names/live', body: json(() => ({ version: 1 })) },
  { method: 'PUT', path: '/v1/heads/taught/shadow', body: json(() => ({ version: 1 })) },
  { method: 'POST', path: '/v1/keys', body: json(() => ({ name: 'a key', scopes: ['read', 'write'] })) },
  { method: 'POST', path: '/v1/tenants', as: 'admin', body: json(() => ({ name: 'a tenant' })) },
  {
    method: 'POST',
    path: '/v1/restore',
    as: 'spare',
    body: (random, { backup }) => ({ type: 'application/x-ndjson', bytes: fuzzedBackup(random, backup) }),
  },
  {
    method: 'POST',
    path: '/hf-inference/models/pets',
    body: either(
      anyPicture,
      json((world, random) => ({
        inputs: base64(world, random),
        parameters: { top_k: 2, function_to_apply: 'softmax' },
      })),
    ),
  },
  { method: 'POST', path: '/client/v4/accounts/a/ai/run/@cf/pets', body: either(anyPicture, numbers) },
  { method: 'POST', path: '/v2/models/pets/infer', body: tensors },
  { method: 'POST', path: `${project}/images?tagIds={tag}`, body: either(picture, form('a', 'image')) },
  {
    method: 'POST',
    path: `${project}/images/files`,
    body: json((world, random) => ({
      images: [{ name: 'a.jpg', contents: base64(world, random), tagIds: [world.tag] }],
    })),
  },
  {
    method: 'POST',
    path: `${project}/images/urls`,
    body: json((world) => ({ images: [{ url: URL, tagIds: [world.tag] }] })),
  },
  {
    method: 'POST',
    path: `${project}/images/predictions`,
    body: json((world) => ({ images: [{ id: world.project, tagIds: [world.tag] }] })),
  },
  {
    method: 'PATCH',
    path: `${project}/tags/{tag}`,
    body: json(() => ({ name: 'tabby', description: 'a', type: 'Regular' })),
  },
  {
    method: 'PATCH',
    path: project,
    body: json(() => ({
      name: 'a project',
      description: '',
      settings: { domainId: 'a', classificationType: 'Multiclass' },
    })),
  },
  { method: 'POST', path: `${project}/quicktest/image`, body: either(picture, form('image')) },
  { method: 'POST', path: `${project}/quicktest/url`, body: json(() => ({ url: URL })) },
  {
    method: 'POST',
    path: `${project}/predictions/query`,
    body: json(() => ({ maxCount: 10, iterationId: 'a', tags: [], orderBy: 'Newest' })),
  },
  { method: 'POST', path: `${prediction}/image`, body: either(picture, form('image')) },
  { method: 'POST', path: `${prediction}/url`, body: json(() => ({ Url: URL })) },
];
