/** The most expensive request of each form that the API takes, and of each protocol. */
import { zipSync, type ZipOptions, type Zippable } from 'fflate';
import { DEFAULT_INPUT } from '../../src/backbone/defaults.ts';
import { hostileJpegs } from './jpeg.ts';
import { hostilePngs, hugePng } from './png.ts';
import { hostileWebps } from './webp.ts';

export interface HostileRequest {
  readonly name: string;
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Which goal holds: seconds of CPU for a body, milliseconds for headers and paths. */
  readonly isBody: boolean;
  /** What it must be answered: one that is refused early would not cost what it is there to show. */
  readonly status?: number;
}

export const HEAD = 'bench';
const CLASSIFY = `/v1/heads/${HEAD}/classify`;
const BATCH = `/v1/heads/${HEAD}/classify-batch`;
const EMBED = '/v1/embed';
const INFER = `/v2/models/${HEAD}/infer`;
const JSON_TYPE = 'application/json';
const formType = (boundary: string): string => `multipart/form-data; boundary=${boundary}`;
const MIB = 1024 * 1024;
/** A picture as numbers, as the head reads it. */
const PIXELS = [DEFAULT_INPUT.height, DEFAULT_INPUT.width, 3];
/** As many as a body of 4 MiB holds, of two characters each. */
const TENSOR = [25, ...PIXELS];
/** Each pixel a list, of eight. */
const NESTED = [19, ...PIXELS];

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function largestBelow(pictures: Readonly<Record<string, Uint8Array>>, bytes: number): Uint8Array {
  const fitting = Object.values(pictures).filter((picture) => picture.length < bytes);
  return fitting.reduce((a, b) => (a.length > b.length ? a : b));
}

function form(pictures: readonly Uint8Array[], boundary: string): Uint8Array {
  const head = Buffer.from(
    `--${boundary}\r\ncontent-disposition: form-data; name="image"; filename="x"\r\n\r\n`,
  );
  const parts = pictures.flatMap((picture) => [head, picture, Buffer.from('\r\n')]);
  return Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
}

const numbered = (count: number, bytes: Uint8Array): Record<string, Uint8Array> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.png`, bytes]));

function bodies(pictures: Readonly<Record<string, Uint8Array>>): HostileRequest[] {
  const zip = (name: string, files: Zippable, options: ZipOptions = {}): HostileRequest =>
    body(name, BATCH, 'application/zip', zipSync(files, options));
  const kserve = (name: string, input: object): HostileRequest =>
    body(name, INFER, JSON_TYPE, JSON.stringify({ inputs: [{ name: 'x', ...input }] }));
  const numbers = Array<number>(product(TENSOR)).fill(1);
  const pixels = Array.from({ length: product(NESTED) / 3 }, () => [1, 1, 1]);
  const image = Buffer.from(largestBelow(pictures, 5 * MIB)).toString('base64');
  const lists = `{"inputs":[{"data":[${'[],'.repeat(1_300_000)}0]}]}`;
  return [
    zip('ZIP of twenty PNGs of 7000×7000', numbered(20, hugePng())),
    zip('ZIP of forty narrow JPEGs', numbered(40, pictures['JPEG, 8 megapixels, long and narrow'])),
    zip('ZIP of forty bombs', numbered(40, new Uint8Array(19e6)), { level: 1 }),
    body(
      'form of a large PNG, embed',
      EMBED,
      formType('x'),
      form([pictures['PNG, noise of 16 values']], 'x'),
    ),
    body('form of dashes', EMBED, formType('-'.repeat(69)), Buffer.alloc(23 * MIB, 45), ANYTHING),
    body(
      'JSON, a large PNG, teach',
      '/v1/heads/other/teach',
      JSON_TYPE,
      JSON.stringify({ examples: [{ label: 'a', image }] }),
    ),
    kserve('JSON, numbers, KServe', { datatype: 'UINT8', shape: TENSOR, data: numbers }),
    kserve('JSON, nested numbers, KServe', { datatype: 'FP32', shape: NESTED, data: pixels }),
    body('JSON, lists, KServe', INFER, JSON_TYPE, lists, ANYTHING),
  ];
}

/** What it may be answered with. */
const ANYTHING = {};

function body(
  name: string,
  path: string,
  type: string,
  content: Uint8Array | string,
  wanted: Pick<HostileRequest, 'status'> = { status: 200 },
): HostileRequest {
  return { name, path, headers: { 'content-type': type }, body: content, isBody: true, ...wanted };
}

function get(name: string, path: string, headers: Record<string, string> = {}): HostileRequest {
  return { name, path, method: 'GET', headers, isBody: false };
}

function post(name: string, headers: Record<string, string>): HostileRequest {
  return { name, path: CLASSIFY, headers, body: 'x', isBody: false };
}

function headersAndPaths(): HostileRequest[] {
  const blanks = `Bearer ${' '.repeat(500_000)}x`;
  const paths = ['/v1/', `${CLASSIFY}/`, '/v2/models/', '/hf-inference/models/', '/customvision/'];
  return [
    get('authorization of 500 kB', '/v1/heads', { authorization: blanks }),
    post('content-type of 500 kB', { 'content-type': `multipart/form-data; ${'a=b;'.repeat(125_000)}` }),
    post('routing-key of 500 kB', { 'routing-key': 'x'.repeat(500_000) }),
    ...paths.flatMap((path) => [
      get(`path of 65 kB, ${path}`, path + 'a'.repeat(65_000)),
      get(`path of 65 kB in parts, ${path}`, path + '/a'.repeat(32_500)),
    ]),
  ];
}

export async function hostileRequests(): Promise<HostileRequest[]> {
  const jpegs = Object.entries(hostileJpegs()).map(([name, bytes]) => [`JPEG, ${name}`, bytes] as const);
  const pictures = { ...Object.fromEntries(jpegs), ...hostilePngs(), ...(await hostileWebps()) };
  const classify = Object.entries(pictures).map(([name, bytes]) =>
    body(name, CLASSIFY, 'application/octet-stream', bytes, ANYTHING),
  );
  return [...classify, ...bodies(pictures), ...headersAndPaths()];
}
