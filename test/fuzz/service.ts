/**
 * The real Worker beside bodies that are nearly right. Whatever is sent, it answers without a fault of its own, errors have
 * a code that is known, and a picture of another tenant is answered as before.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { PROBLEMS } from '../../worker/http/problem.ts';
import { Tenants } from '../node/api/tenants.ts';
import { ADMIN_SECRET, TestHost, picture } from '../node/protocols/test-host.ts';
import type { Fault, FuzzPart } from './part.ts';
import type { World } from './places.ts';
import { publishedProject } from './published-project.ts';
import { Random } from './random.ts';
import { fuzzedRequest, type FuzzedRequest } from './requests.ts';
import { pictureSources } from './sources.ts';

/** So many cases share a tenant, since what they do to it makes the next one's case. */
const CASES_PER_TENANT = 100;
const ANSWER_TIMEOUT_MS = 120_000;
const MAX_PICTURE_BYTES = 60_000;
const VERSION_NAME = 'production';
const HEADS = 'pets';

const Health = z.object({ backbone: z.json() });
const Embeddings = z.object({ embeddings: z.array(z.object({ code: z.array(z.number()) })) });
const Answer = z.object({ predictions: z.json(), unknown: z.json() });

interface Target {
  readonly world: World;
  readonly key: string;
  readonly spareKey: string;
}

export async function servicePart(seed: number): Promise<FuzzPart> {
  const log: string[] = [];
  const host = await TestHost.open((line) => log.push(line));
  const service = new Service(host, await Tenants.prepare(host, VERSION_NAME), seed, log);
  await service.begin();
  return { name: 'service', run: (number) => service.run(number), close: () => host.close() };
}

class Service {
  readonly #host: TestHost;
  readonly #tenants: Tenants;
  readonly #seed: number;
  readonly #log: string[];
  readonly #pictures = pictureSources().filter(({ bytes }) => bytes.length <= MAX_PICTURE_BYTES);
  #probeKey = '';
  #expected: unknown;
  #target: Target | undefined;
  #next = 0;

  constructor(host: TestHost, tenants: Tenants, seed: number, log: string[]) {
    this.#host = host;
    this.#tenants = tenants;
    this.#seed = seed;
    this.#log = log;
  }

  async begin(): Promise<void> {
    this.#probeKey = await this.#host.newTenant();
    await this.#host.putHead(this.#probeKey, HEADS, ['a', 'b']);
    this.#expected = await this.#probe();
  }

  /** Cases before it of the same tenant come first, unless they were just run. */
  async run(number: number): Promise<Fault | undefined> {
    const first = number - (number % CASES_PER_TENANT);
    if (this.#next !== number || this.#target === undefined) this.#next = first;
    for (; this.#next < number; this.#next++) await this.#case(this.#next);
    this.#next++;
    return this.#case(number);
  }

  async #case(number: number): Promise<Fault | undefined> {
    if (number % CASES_PER_TENANT === 0 || this.#target === undefined) this.#target = await this.#newTarget();
    const request = fuzzedRequest(new Random(this.#seed, number), this.#target.world);
    this.#log.length = 0;
    const what = (await this.#fault(request, this.#target)) ?? (await this.#probeFault());
    const { place, path, headers, body } = request;
    if (what === undefined) return undefined;
    const where = `${place.method} ${path.slice(0, 200)} ${JSON.stringify(headers).slice(0, 300)}`;
    return { what: `${where}: ${what}`, body };
  }

  async #fault(request: FuzzedRequest, target: Target): Promise<string | undefined> {
    const { place, path, headers, body } = request;
    const key = { admin: ADMIN_SECRET, spare: target.spareKey, tenant: target.key }[place.as ?? 'tenant'];
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#host.address(path), {
        method: place.method,
        headers: { authorization: `Bearer ${key}`, 'training-key': key, 'prediction-key': key, ...headers },
        body,
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      text = await response.text();
    } catch (error) {
      return `no answer: ${String(error)} ${error instanceof Error ? String(error.cause) : ''}`;
    }
    const errors = this.#log.filter((line) => line.includes('"error"')).join('\n');
    if (response.status >= 500) return `${response.status} ${text.slice(0, 300)}\n${errors}`;
    return response.ok ? batchFault(text, response) : problemFault(text, response.status);
  }

  async #probe(): Promise<unknown> {
    const init = { method: 'POST', body: picture() };
    return Answer.parse(await this.#host.call(this.#probeKey, `/v1/heads/${HEADS}/classify`, init));
  }

  async #probeFault(): Promise<string | undefined> {
    try {
      const answer = await this.#probe();
      if (isDeepStrictEqual(answer, this.#expected)) return undefined;
      return `the next picture is answered ${JSON.stringify(answer)}, not ${JSON.stringify(this.#expected)}`;
    } catch (error) {
      return `the next picture is not answered: ${String(error)}`;
    }
  }

  async #newTarget(): Promise<Target> {
    const { key, spareKey, example, ids } = await this.#tenants.next();
    const call = (path: string, init?: RequestInit): Promise<unknown> => this.#host.call(key, path, init);
    const { backbone } = Health.parse(await call('/healthz'));
    const { embeddings } = Embeddings.parse(await call('/v1/embed', { method: 'POST', body: picture() }));
    const code = Buffer.from(Float16Array.from(embeddings[0].code).buffer).toString('base64');
    const backup = await this.#host.request(key, '/v1/backup');
    const world = {
      pictures: this.#pictures,
      head: this.#tenants.file,
      backup: new Uint8Array(await backup.arrayBuffer()),
      prediction: ids.at(-1) ?? '',
      backbone,
      code,
      example,
      ...(await publishedProject(this.#host, key)),
    };
    return { world, key, spareKey };
  }
}

/** Problems stand in an answer's place, or in lines of it; other protocols have the code in fields of their own. */
const Problem = z.union([
  z
    .looseObject({ errors: z.tuple([z.object({ error: z.string() })]) })
    .transform(({ errors }) => errors[0].error),
  z.looseObject({ problem: z.string() }).transform(({ problem }) => problem),
  z.looseObject({ code: z.string() }).transform(({ code }) => code),
]);
const Line = z.looseObject({ problem: z.object({ code: z.string(), status: z.int() }).optional() });
const Described = z.tuple([z.int(), z.string()]);

function problemFault(text: string, status: number): string | undefined {
  const problem = Problem.safeParse(jsonOf(text));
  if (!problem.success) return `${status} without a problem: ${text.slice(0, 300)}`;
  return codeFault(problem.data, status);
}

function codeFault(code: string, status: number): string | undefined {
  const described = Described.safeParse(Reflect.get(PROBLEMS, code));
  if (!described.success) return `${status} with an unknown code '${code}'`;
  return described.data[0] === status ? undefined : `${status} with the code '${code}'`;
}

/** Of the lines of a batch that is answered line by line; of other answers only that they are JSON. */
function batchFault(text: string, response: Response): string | undefined {
  const type = response.headers.get('content-type') ?? '';
  if (text.includes('"score":null')) return `a score that is no number: ${text.slice(0, 300)}`;
  if (type !== 'application/x-ndjson') return undefined;
  for (const line of text.trimEnd().split('\n')) {
    const parsed = Line.safeParse(jsonOf(line));
    if (!parsed.success) return `a line that is none: ${line.slice(0, 300)}`;
    const { problem } = parsed.data;
    if (problem === undefined) continue;
    if (problem.status >= 500) return `a line with ${problem.code}: ${line.slice(0, 300)}`;
    const fault = codeFault(problem.code, problem.status);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
