/** Custom Vision's own clients on projects of two backbones and two sizes: each learns and answers in its own space. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PredictionAPIClient } from '@azure/cognitiveservices-customvision-prediction';
import { TrainingAPIClient } from '@azure/cognitiveservices-customvision-training';
import { ApiKeyCredentials } from '@azure/ms-rest-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classification, ExampleList, HeadDetail } from '../../../src/api/index.ts';
import { readHead } from '../../../src/head/index.ts';
import type { Mortal } from '../local/teaching.ts';
import {
  callJson,
  HEADS,
  LABELS,
  openThreeSpaces,
  photo,
  SPACES,
  type HeadName,
  type ThreeSpaces,
} from './three-spaces.ts';

const EACH = 8;
const PUBLISHED = 'production';
/** Names of projects, and of their heads. */
const nameOf = (head: HeadName): string => `project-${head}`;

let folder: string;
let here: ThreeSpaces;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headwater-test-'));
  here = await openThreeSpaces(folder, async (older, key) => {
    await trainProject(older, key, 'old');
  });
  await trainProject(here.worker, here.key, 'edge');
  const empty = await trainer(here.worker, here.key).createProject(nameOf('large'));
  await tagsOf(here.worker, here.key, empty.id ?? '');
  await callJson(here.worker, here.key, `/v1/heads/${nameOf('large')}`, { method: 'PUT', body: here.large });
});
afterAll(async () => {
  await here?.close();
  rmSync(folder, { recursive: true, force: true });
});

const credentials = (header: string, key: string): ApiKeyCredentials =>
  new ApiKeyCredentials({ inHeader: { [header]: key } });

const trainer = ({ url }: Mortal, key: string): TrainingAPIClient =>
  new TrainingAPIClient(credentials('Training-key', key), url.origin, { noRetryPolicy: true });

const predictor = (): PredictionAPIClient =>
  new PredictionAPIClient(credentials('Prediction-key', here.key), here.worker.url.origin, {
    noRetryPolicy: true,
  });

/** Tags by name, made where they are missing. */
async function tagsOf(worker: Mortal, key: string, project: string): Promise<Map<string, string>> {
  const known = await trainer(worker, key).getTags(project);
  const tags = new Map(known.map(({ name, id = '' }) => [name ?? '', id]));
  for (const label of LABELS) {
    if (tags.has(label)) continue;
    tags.set(label, (await trainer(worker, key).createTag(project, label)).id ?? '');
  }
  return tags;
}

async function upload(
  worker: Mortal,
  key: string,
  project: string,
  from: number,
  count: number,
): Promise<void> {
  const tags = await tagsOf(worker, key, project);
  for (const label of LABELS) {
    const images = Array.from({ length: count }, (_, i) => ({
      name: `${i}.jpg`,
      contents: photo('train', label, from + i),
    }));
    const tagIds = [tags.get(label) ?? ''];
    const summary = await trainer(worker, key).createImagesFromFiles(project, { images, tagIds });
    expect(summary.images?.map(({ status }) => status)).toEqual(images.map(() => 'OK'));
  }
}

async function trainProject(worker: Mortal, key: string, head: HeadName): Promise<void> {
  const { id = '' } = await trainer(worker, key).createProject(nameOf(head));
  await upload(worker, key, id, 0, EACH);
  expect(await trainer(worker, key).trainProject(id)).toMatchObject({ status: 'Completed' });
}

async function projectOf(head: HeadName): Promise<string> {
  const projects = await trainer(here.worker, here.key).getProjects();
  return projects.find(({ name }) => name === nameOf(head))?.id ?? '';
}

const classify = async (head: string, body: Uint8Array<ArrayBuffer>): Promise<Record<string, number>> => {
  const headers = { 'content-type': 'image/jpeg' };
  const path = `/v1/heads/${head}/classify`;
  const { predictions } = Classification.parse(
    await callJson(here.worker, here.key, path, { method: 'POST', headers, body }),
  );
  return Object.fromEntries(predictions.map(({ label, score }) => [label, score]));
};

describe.each(HEADS)('a project in the space of %s', (head) => {
  it('predicts as its head, in the space that it was made in', async () => {
    const project = await projectOf(head);
    const client = trainer(here.worker, here.key);
    const [iteration] = await client.getIterations(project);
    await client.publishIteration(project, iteration.id ?? '', PUBLISHED, '/subscriptions/x');
    for (const label of LABELS) {
      const picture = photo('test', label, 3);
      const { predictions = [] } = await predictor().classifyImageWithNoStore(
        project,
        PUBLISHED,
        Buffer.from(picture),
      );
      const said: Record<string, number> = Object.fromEntries(
        predictions.map(({ tagName = '', probability = 0 }) => [tagName, probability]),
      );
      expect(said).toEqual(await classify(nameOf(head), picture));
      // The same photos make the same head, whatever way they came.
      expect(said).toEqual(await classify(head, picture));
    }
  });

  it('learns on in that space, and takes its stored predictions as pictures', async () => {
    const project = await projectOf(head);
    const client = trainer(here.worker, here.key);
    const { id = '' } = await predictor().classifyImage(
      project,
      PUBLISHED,
      Buffer.from(photo('test', 'glass', 4)),
    );
    await upload(here.worker, here.key, project, 10, 2);
    const tagIds = [(await tagsOf(here.worker, here.key, project)).get('glass') ?? ''];
    const stored = await client.createImagesFromPredictions(project, { images: [{ id }], tagIds });
    expect(stored.images?.map(({ status }) => status)).toEqual(['OK']);
    expect(await client.trainProject(project)).toMatchObject({ status: 'Completed' });
    const { version } = HeadDetail.parse(await callJson(here.worker, here.key, `/v1/heads/${nameOf(head)}`));
    const file = await here.worker.call(here.key, `/v1/heads/${nameOf(head)}/versions/${version}`);
    const { backbone, input } = readHead(new Uint8Array(await file.arrayBuffer()));
    expect(backbone.name).toBe(SPACES[head].backbone);
    expect(input ?? SPACES.old.input).toEqual(SPACES[head].input);
  });
});

describe('a project whose head is moved', () => {
  it('takes no prediction that was stored before, and those that come after', async () => {
    const project = await projectOf('old');
    const client = trainer(here.worker, here.key);
    const tagIds = [(await tagsOf(here.worker, here.key, project)).get('paper') ?? ''];
    const store = async (nth: number): Promise<string> => {
      const body = Buffer.from(photo('test', 'paper', nth));
      return (await predictor().classifyImage(project, PUBLISHED, body)).id ?? '';
    };
    const before = await store(5);
    await forgetCodes(nameOf('old'));
    const moved = async (): Promise<unknown> =>
      callJson(here.worker, here.key, `/v1/heads/${nameOf('old')}/rebase`, { method: 'POST' });
    expect(await moved()).toMatchObject({ state: 'under_way' });
    const early = await client.createImagesFromPredictions(project, { images: [{ id: before }], tagIds });
    expect(early.images?.map(({ status }) => status)).toEqual(['ErrorSource']);
    expect(await moved()).toMatchObject({ state: 'done', to: { name: SPACES.edge.backbone } });
    const refused = await client.createImagesFromPredictions(project, { images: [{ id: before }], tagIds });
    expect(refused.images?.map(({ status }) => status)).toEqual(['ErrorSource']);
    const [newest] = await client.getIterations(project);
    await client.unpublishIteration(project, (await published(client, project)) ?? '');
    await client.publishIteration(project, newest.id ?? '', PUBLISHED, '/subscriptions/x');
    const taken = await client.createImagesFromPredictions(project, {
      images: [{ id: await store(6) }],
      tagIds,
    });
    expect(taken.images?.map(({ status }) => status)).toEqual(['OK']);
  });
});

/** What came as a prediction has no picture from which a code could be made anew. */
async function forgetCodes(head: string): Promise<void> {
  const list = await callJson(here.worker, here.key, `/v1/heads/${head}/examples?limit=500`);
  for (const { id, source } of ExampleList.parse(list).examples)
    if (source === 'code')
      await callJson(here.worker, here.key, `/v1/heads/${head}/examples/${id}`, { method: 'DELETE' });
}

async function published(client: TrainingAPIClient, project: string): Promise<string | undefined> {
  const iterations = await client.getIterations(project);
  return iterations.find(({ publishName }) => publishName === PUBLISHED)?.id;
}
