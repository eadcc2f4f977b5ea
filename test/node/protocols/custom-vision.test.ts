/** Azure Custom Vision's own clients against the Worker: from an empty project to predictions, and back to nothing. */
import { readFileSync } from 'node:fs';
import { PredictionAPIClient } from '@azure/cognitiveservices-customvision-prediction';
import { TrainingAPIClient } from '@azure/cognitiveservices-customvision-training';
import { ApiKeyCredentials, DefaultHttpClient, type HttpClient } from '@azure/ms-rest-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { photos as photoFiles } from '../photos.ts';
import { TestHost, picture } from './test-host.ts';

const TAGS = ['glass', 'paper'] as const;
const TEST_PHOTOS_PER_TAG = 15;
const PUBLISHED = 'production';
/** What the published client calls, and what it is sent to: none of those on npm calls v3.3 itself. */
const OWN_VERSION = 'v3.4-preview';
const VERSIONS = [OWN_VERSION, 'v3.3', 'v3.0'] as const;

let host: TestHost;
let training: TrainingAPIClient;
let prediction: PredictionAPIClient;
let key: string;
beforeAll(async () => {
  host = await TestHost.open();
  key = await host.newTenant();
  training = trainingClient(OWN_VERSION);
  prediction = new PredictionAPIClient(credentials('Prediction-key'), host.url.origin, OPTIONS);
});
afterAll(() => host.close());

/** Attempts of their own would hide faults. */
const OPTIONS = { noRetryPolicy: true };

const credentials = (header: string): ApiKeyCredentials =>
  new ApiKeyCredentials({ inHeader: { [header]: key } });

/** The published client over a connection, which it takes as an option, that sends its calls to another version. */
function trainingClient(version: (typeof VERSIONS)[number]): TrainingAPIClient {
  const network = new DefaultHttpClient();
  const httpClient: HttpClient = {
    sendRequest: (request) => {
      request.url = request.url.replace(`/customvision/${OWN_VERSION}/`, `/customvision/${version}/`);
      called.add(request.url.slice(host.url.href.length).split('/')[1]);
      return network.sendRequest(request);
    },
  };
  return new TrainingAPIClient(credentials('Training-key'), host.url.origin, { ...OPTIONS, httpClient });
}

/** Versions of the training API that were called. */
const called = new Set<string>();

function photos(split: 'train' | 'test', label: string, count: number): Buffer[] {
  return photoFiles(split, label, count).map((path) => readFileSync(path));
}

describe.each(VERSIONS)('a migration, with %s', (version) => {
  beforeAll(() => {
    training = trainingClient(version);
  });
  const name = `Rubbish, sorted (${version})`;
  let project: string;
  const tags = new Map<string, string>();
  let iteration: string;

  it('creates a project and tags', async () => {
    const domains = await training.getDomains();
    const domain = domains.find(({ type, name }) => type === 'Classification' && name === 'General');
    expect(called).toContain(version);
    const made = await training.createProject(name, {
      description: 'Two kinds of it',
      domainId: domain?.id ?? '',
      classificationType: 'Multiclass',
    });
    expect(made).toMatchObject({
      name,
      description: 'Two kinds of it',
      status: 'Succeeded',
    });
    expect(made.created).toBeInstanceOf(Date);
    project = made.id ?? '';
    for (const label of TAGS) {
      const tag = await training.createTag(project, label);
      expect(tag).toMatchObject({ name: label, type: 'Regular', imageCount: 0 });
      tags.set(label, tag.id ?? '');
    }
    await expect(training.createTag(project, 'glass')).rejects.toMatchObject({ statusCode: 400 });
    expect((await training.getProjects()).map(({ id }) => id)).toEqual([project]);
    await expect(training.trainProject(project)).rejects.toThrow();
  });

  it('uploads photos as data and in batches', async () => {
    for (const label of TAGS) {
      const tagIds = [tags.get(label) ?? ''];
      const [first, ...rest] = photos('train', label, 30);
      const one = await training.createImagesFromData(project, first, { tagIds });
      expect(one).toMatchObject({
        isBatchSuccessful: true,
        images: [{ status: 'OK', image: { tags: [{ tagName: label }] } }],
      });
      const images = rest.map((contents, i) => ({ name: `${i}.jpg`, contents: new Uint8Array(contents) }));
      const batch = await training.createImagesFromFiles(project, { images, tagIds });
      expect(batch.isBatchSuccessful).toBe(true);
      expect(batch.images).toHaveLength(29);
      const again = await training.createImagesFromData(project, first, { tagIds });
      expect(again.images?.[0].status).toBe('OKDuplicate');
    }
    expect(await training.getTaggedImageCount(project)).toMatchObject({ body: 60 });
    expect(
      Object.fromEntries((await training.getTags(project)).map(({ name, imageCount }) => [name, imageCount])),
    ).toEqual({ glass: 30, paper: 30 });
    const listed = await training.getTaggedImages(project, { tagIds: [tags.get('paper') ?? ''], take: 10 });
    expect(listed).toHaveLength(10);
    expect(listed.every((image) => image.tags?.[0].tagName === 'paper')).toBe(true);
  });

  it('tells which pictures it could not take, and takes the others', async () => {
    const tagIds = [tags.get('glass') ?? ''];
    const images = [
      { name: 'broken', contents: new Uint8Array([1, 2, 3]) },
      { name: 'good', contents: picture() },
      { name: 'another tag', contents: new Uint8Array(photos('train', 'paper', 1)[0]) },
      { name: 'no such tag', contents: picture(), tagIds: [project] },
    ];
    const summary = await training.createImagesFromFiles(project, { images, tagIds });
    expect(summary.isBatchSuccessful).toBe(false);
    expect(summary.images?.map(({ status }) => status)).toEqual([
      'ErrorImageFormat',
      'OK',
      'ErrorTagLimitExceed',
      'ErrorInvalidTag',
    ]);
    const added = summary.images?.[1].image?.id ?? '';
    await training.deleteImages(project, { imageIds: [added] });
    expect(await training.getTaggedImageCount(project)).toMatchObject({ body: 60 });
    const byUrl = await training.createImagesFromUrls(project, {
      images: [{ url: 'https://example.invalid/a.jpg' }],
      tagIds,
    });
    expect(byUrl.images?.[0].status).toBe('ErrorSource');
  });

  it('trains, and reads the performance', async () => {
    const trained = await training.trainProject(project);
    expect(trained).toMatchObject({ status: 'Completed', projectId: project });
    iteration = trained.id ?? '';
    expect(await training.getIteration(project, iteration)).toMatchObject({
      id: iteration,
      status: 'Completed',
    });
    expect(await training.getIterations(project)).toHaveLength(1);
    const renamed = await training.updateIteration(project, iteration, { name: 'First' });
    expect(renamed.name).toBe('First');
    const { precision, recall, perTagPerformance } = await training.getIterationPerformance(
      project,
      iteration,
    );
    expect(precision).toBeGreaterThan(0.7);
    expect(recall).toBe(precision);
    expect(perTagPerformance?.map(({ name, id }) => [name, id])).toEqual(
      TAGS.map((tag) => [tag, tags.get(tag)]),
    );
    expect(perTagPerformance?.every((tag) => (tag.recall ?? 0) > 0.6)).toBe(true);
  });

  it('publishes, and predicts at least 80 % of 30 test photos right', async () => {
    await expect(
      prediction.classifyImageWithNoStore(project, PUBLISHED, Buffer.from(picture())),
    ).rejects.toMatchObject({
      statusCode: 404,
    });
    const published = await training.publishIteration(project, iteration, PUBLISHED, '/subscriptions/x');
    expect(published.body).toBe(true);
    expect(await training.getIteration(project, iteration)).toMatchObject({ publishName: PUBLISHED });
    const [{ head }] = z
      .object({ heads: z.array(z.object({ head: z.string() })) })
      .parse(await host.call(key, '/v1/heads')).heads;
    const init = { method: 'POST', body: picture() };
    expect(await host.call(key, `/v1/heads/${head}/classify?version=${PUBLISHED}`, init)).toMatchObject({
      version: 1,
    });
    let right = 0;
    for (const label of TAGS) {
      for (const photo of photos('test', label, TEST_PHOTOS_PER_TAG)) {
        const { predictions = [], ...rest } = await prediction.classifyImageWithNoStore(
          project,
          PUBLISHED,
          photo,
        );
        expect(rest).toMatchObject({ project, iteration });
        expect(new Set(predictions.map(({ tagName }) => tagName))).toEqual(new Set(TAGS));
        expect(predictions.reduce((sum, { probability = 0 }) => sum + probability, 0)).toBeCloseTo(1, 4);
        expect(predictions[0].tagId).toBe(tags.get(predictions[0].tagName ?? ''));
        if (predictions[0].tagName === label) right++;
      }
    }
    console.log(
      `Custom Vision's clients: ${right} of ${TAGS.length * TEST_PHOTOS_PER_TAG} test photos right.`,
    );
    expect(right / (TAGS.length * TEST_PHOTOS_PER_TAG)).toBeGreaterThanOrEqual(0.8);
  });

  it('stores predictions, and learns from them', async () => {
    const [photo] = photos('test', 'glass', 1);
    const { id = '' } = await prediction.classifyImage(project, PUBLISHED, photo);
    const stored = await training.queryPredictions(project, {});
    expect(stored.results?.map((each) => each.id)).toEqual([id]);
    const batch = { images: [{ id }], tagIds: [tags.get('glass') ?? ''] };
    expect(await training.createImagesFromPredictions(project, batch)).toMatchObject({
      isBatchSuccessful: true,
    });
    expect(await training.getTaggedImageCount(project)).toMatchObject({ body: 61 });
    await training.deletePrediction(project, [id]);
    expect((await training.queryPredictions(project, {})).results).toEqual([]);
    expect((await training.createImagesFromPredictions(project, batch)).images?.[0].status).toBe(
      'ErrorSource',
    );
    await expect(
      prediction.classifyImageUrlWithNoStore(project, PUBLISHED, { url: 'https://example.invalid/a.jpg' }),
    ).rejects.toMatchObject({ statusCode: 400 });
    const quick = await training.quickTestImage(project, photo, { iterationId: iteration });
    expect(quick.predictions).toHaveLength(2);
  });

  it('unpublishes and deletes', async () => {
    await expect(training.deleteIteration(project, iteration)).rejects.toMatchObject({ statusCode: 400 });
    await expect(training.deleteProject(project)).rejects.toMatchObject({ statusCode: 400 });
    await training.unpublishIteration(project, iteration);
    await training.deleteTag(project, tags.get('paper') ?? '');
    expect((await training.getTags(project)).map(({ name }) => name)).toEqual(['glass']);
    await training.deleteProject(project);
    expect(await training.getProjects()).toEqual([]);
    await expect(training.getProject(project)).rejects.toMatchObject({ statusCode: 404, code: 'NotFound' });
  });
});

describe('without a right', () => {
  it('a wrong key is 401, as the clients understand it', async () => {
    const credentials = new ApiKeyCredentials({ inHeader: { 'Training-key': 'hw_wrong' } });
    const outsider = new TrainingAPIClient(credentials, host.url.origin, { noRetryPolicy: true });
    await expect(outsider.getProjects()).rejects.toMatchObject({ statusCode: 401 });
  });

  it('multi-label projects and calls that are not spoken are refused in so many words', async () => {
    const made = training.createProject('two at once', { classificationType: 'Multilabel' });
    await expect(made).rejects.toMatchObject({ statusCode: 400, code: 'BadRequest' });
    const { id = '' } = await training.createProject('a project');
    await expect(training.getExports(id, id)).rejects.toMatchObject({ statusCode: 404 });
  });

  it.each([
    ['POST', '/projects', undefined],
    ['POST', '/projects?name=', undefined],
    ['PATCH', '/projects/ID', '{'],
    ['POST', '/projects/ID/tags', undefined],
    ['POST', '/projects/ID/tags?name=x&type=Odd', undefined],
    ['POST', '/projects/ID/images', ''],
    ['POST', '/projects/ID/images/files', '{"images":[]}'],
    ['POST', '/projects/ID/images/files', '{"images":[{"contents":"***"}]}'],
    ['POST', '/projects/ID/images/urls', '[]'],
    ['POST', '/projects/ID/quicktest/url', '{}'],
    ['POST', '/projects/ID/predictions/query', 'null'],
    ['GET', '/projects/ID/iterations/ID', undefined],
    ['POST', '/projects/ID/iterations/../publish', undefined],
    ['GET', '/projects/ID/images?skip=x&take=-1&tagIds=%00', undefined],
    ['DELETE', '/projects/%00', undefined],
    ['GET', '/projects/00000000-0000-0000-0000-000000000000', undefined],
  ])('%s %s with nonsense is no server error', async (method, path, body) => {
    const { id = '' } = await training.createProject('nonsense');
    const address = host.address(`/customvision/v3.3/Training${path.replaceAll('ID', id)}`);
    const headers = { 'Training-Key': key, 'content-type': 'application/json' };
    const response = await fetch(address, { method, headers, body: body ?? null });
    expect(response.status).toBeLessThan(500);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    await training.deleteProject(id);
  });
});
