/** What takes more than a few reads: files of versions, kept pictures, answers, metrics and keys, each compared with the model. */
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Classification, type VersionSummary } from '../../src/api/index.ts';
import { VersionReport } from '../../src/api/report.ts';
import type { DetailedMetrics } from '../../src/learn/statistics/metrics.ts';
import { writeSummary } from '../../src/head/metrics.ts';
import { answerOf, sha256, trainedOf, type Trained } from './material.ts';
import type { SendRequest, Observed, ObservedHead } from './observe.ts';
import type { State } from './state.ts';

/** A picture that every head classifies, and its code. */
export interface Probe {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly code: Float32Array;
}

export interface Inspection {
  readonly send: SendRequest;
  readonly state: State;
  readonly observed: Observed;
  readonly probe: Probe;
  /** Head files by their SHA-256; new ones are added. */
  readonly files: Map<string, Trained>;
  /** Keys by their ids. */
  readonly secrets: ReadonlyMap<string, string>;
  /** A call with another key. */
  readonly sendWith: (key: string, path: string) => Promise<Response>;
}

/** @throws Error in words where something is not as the model has it. */
export async function inspect(inspection: Inspection): Promise<void> {
  const { state, observed, secrets, sendWith } = inspection;
  for (const [name, head] of Object.entries(observed.heads)) {
    for (const number of Object.keys(head.versions)) await inspectVersion(inspection, name, Number(number));
    await inspectAnswer(inspection, name, head);
    await inspectPictures(inspection, name, head);
  }
  // How soon revoked ones stop is another matter: see stores.ts.
  for (const { id, revoked } of state.keys) {
    const secret = secrets.get(id ?? '');
    if (secret === undefined || revoked) continue;
    const { status } = await sendWith(secret, '/v1/heads');
    if (status !== 200) throw new Error(`a key that works was answered ${status}`);
  }
}

async function inspectVersion({ send, files, observed, probe }: Inspection, name: string, number: number) {
  const { versions, detail } = observed.heads[name];
  const { sha256: hash } = versions[number];
  const what = `version ${number} of ${name}`;
  const file = await send(`/v1/heads/${name}/versions/${number}`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (file.status !== 200 || sha256(bytes) !== hash)
    throw new Error(`${what}: its file was answered ${file.status}`);
  const trained = files.get(hash) ?? trainedOf(bytes);
  files.set(hash, trained);
  const summary = detail?.versions.find(({ version }) => version === number);
  if (summary !== undefined) assertMetrics(what, summary, trained);
  await inspectReport(send, what, `/v1/heads/${name}/versions/${number}/report`, trained);
  const { predictions, unknown } = await classify(send, probe, `${name}/classify?version=${number}`);
  const expected = answerOf(trained.head, probe.code);
  if (!isDeepStrictEqual({ predictions, unknown }, expected))
    throw new Error(`${what}: it answers ${JSON.stringify(predictions)}, not ${JSON.stringify(expected)}`);
}

function assertMetrics(what: string, summary: VersionSummary, { head, bytes }: Trained): void {
  const { leaveOneOut, examples } = head.training;
  const expected = {
    examples,
    bytes: bytes.byteLength,
    classes: head.labels.length,
    leave_one_out: leaveOneOut === null ? null : writeSummary(leaveOneOut),
  };
  const found = Object.fromEntries(Object.keys(expected).map((name) => [name, Reflect.get(summary, name)]));
  if (!isDeepStrictEqual(found, expected))
    throw new Error(`${what}: its metrics are ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}

/** A version that was uploaded, or restored, has none. */
async function inspectReport(
  send: SendRequest,
  what: string,
  path: string,
  { head, metrics }: Trained,
): Promise<void> {
  const answer = await send(path);
  const text = await answer.text();
  if (answer.status === 404 || metrics == null) return;
  const { labels, confusion, reliability } = VersionReport.parse(JSON.parse(text));
  const expected = { labels: head.labels, confusion: metrics.confusion, reliability: metrics.reliability };
  if (JSON.stringify({ labels, confusion, reliability }) !== JSON.stringify(plain(expected)))
    throw new Error(`${what}: its report is ${text}, not ${JSON.stringify(plain(expected))}`);
}

/** Typed arrays as lists. */
const plain = ({
  labels,
  confusion,
  reliability,
}: {
  labels: readonly string[];
  confusion: DetailedMetrics['confusion'];
  reliability: DetailedMetrics['reliability'];
}) => ({
  labels: [...labels],
  confusion: confusion.map((row) => [...row]),
  reliability: [...reliability],
});

/** What the alarm changes is a change made elsewhere: KV and the isolate may know the version before for so long. */
const EVERYWHERE_WITHIN_MS = 60_000;

/** Without a version named, the current one or the canary answers. */
async function inspectAnswer(
  { send, probe, files }: Inspection,
  name: string,
  head: ObservedHead,
): Promise<void> {
  if (head.current === null) return;
  const deadline = performance.now() + EVERYWHERE_WITHIN_MS;
  let answer = await classify(send, probe, `${name}/classify`);
  const isDue = (): boolean => answer.version === head.current || answer.version === head.canary?.version;
  for (; !isDue() && performance.now() < deadline; answer = await classify(send, probe, `${name}/classify`))
    await wait(1000);
  const { version, predictions } = answer;
  if (!isDue()) throw new Error(`${name}: version ${version} answers, not ${head.current}`);
  const { head: file } = files.get(head.versions[version].sha256)!;
  if (!isDeepStrictEqual(predictions, answerOf(file, probe.code).predictions))
    throw new Error(`${name}: what answers is not version ${version}`);
}

async function inspectPictures({ send }: Inspection, name: string, head: ObservedHead): Promise<void> {
  for (const [picture, { identity, image }] of Object.entries(head.examples ?? {})) {
    const answer = await send(`/v1/heads/${name}/examples/${identity.split(' ')[0]}/image`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const holds = image ? answer.status === 200 && sha256(bytes) === picture : answer.status === 404;
    if (!holds)
      throw new Error(`${name}: the picture ${picture}, kept: ${image}, was answered ${answer.status}`);
  }
}

async function classify(send: SendRequest, { bytes }: Probe, path: string): Promise<Classification> {
  const headers = { 'content-type': 'image/jpeg' };
  const answer = await send(`/v1/heads/${path}`, { method: 'POST', headers, body: bytes });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}: ${text}`);
  return Classification.parse(JSON.parse(text));
}
