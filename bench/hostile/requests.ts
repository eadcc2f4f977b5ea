/** The most expensive request of each form that the API takes, and of each protocol. */
import { zipSync } from 'fflate';
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
const json = { 'content-type': 'application/json' };
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
  const zip = { 'content-type': 'application/zip' };
  const inForm = { 'content-type': 'multipart/form-data; boundary=x' };
  const dashes = '-'.repeat(69);
  const large = pictures['PNG, noise of 16 values'];
  const huge = hugePng();
  return [
    {
      name: 'ZIP of twenty PNGs of 7000×7000',
      path: BATCH,
      headers: zip,
      body: zipSync(numbered(20, huge)),
      isBody: true,
      status: 200,
    },
    {
      name: 'ZIP of forty narrow JPEGs',
      path: BATCH,
      headers: zip,
      body: zipSync(numbered(40, pictures['JPEG, 8 megapixels, long and narrow'])),
      isBody: true,
      status: 200,
    },
    {
      name: 'ZIP of forty bombs',
      path: BATCH,
      headers: zip,
      body: zipSync(numbered(40, new Uint8Array(19e6)), { level: 1 }),
      isBody: true,
      status: 200,
    },
    {
      name: 'form of a large PNG, embed',
      path: '/v1/embed',
      headers: inForm,
      body: form([large], 'x'),
      isBody: true,
      status: 200,
    },
    {
      name: 'form of dashes',
      path: '/v1/embed',
      headers: { 'content-type': `multipart/form-data; boundary=${dashes}` },
      body: Buffer.alloc(23 * MIB, 45),
      isBody: true,
    },
    {
      name: 'JSON, a large PNG, teach',
      path: '/v1/heads/other/teach',
      headers: json,
      body: JSON.stringify({
        examples: [{ label: 'a', image: Buffer.from(largestBelow(pictures, 5 * MIB)).toString('base64') }],
      }),
      isBody: true,
      status: 200,
    },
    {
      name: 'JSON, numbers, KServe',
      path: `/v2/models/${HEAD}/infer`,
      headers: json,
      body: JSON.stringify({
        inputs: [{ name: 'x', datatype: 'UINT8', shape: TENSOR, data: Array(product(TENSOR)).fill(1) }],
      }),
      isBody: true,
      status: 200,
    },
    {
      name: 'JSON, nested numbers, KServe',
      path: `/v2/models/${HEAD}/infer`,
      headers: json,
      body: JSON.stringify({
        inputs: [
          {
            name: 'x',
            datatype: 'FP32',
            shape: NESTED,
            data: Array.from({ length: product(NESTED) / 3 }, () => [1, 1, 1]),
          },
        ],
      }),
      isBody: true,
      status: 200,
    },
    {
      name: 'JSON, lists, KServe',
      path: `/v2/models/${HEAD}/infer`,
      headers: json,
      body: `{"inputs":[{"data":[${'[],'.repeat(1_300_000)}0]}]}`,
      isBody: true,
    },
  ];
}

function headersAndPaths(): HostileRequest[] {
  const blanks = `Bearer ${' '.repeat(500_000)}x`;
  const paths = ['/v1/', `${CLASSIFY}/`, '/v2/models/', '/hf-inference/models/', '/customvision/'];
  return [
    {
      name: 'authorization of 500 kB',
      path: '/v1/heads',
      method: 'GET',
      headers: { authorization: blanks },
      isBody: false,
    },
    {
      name: 'content-type of 500 kB',
      path: CLASSIFY,
      headers: { 'content-type': `multipart/form-data; ${'a=b;'.repeat(125_000)}` },
      body: 'x',
      isBody: false,
    },
    {
      name: 'routing-key of 500 kB',
      path: CLASSIFY,
      headers: { 'routing-key': 'x'.repeat(500_000) },
      body: 'x',
      isBody: false,
    },
    ...paths.flatMap((path): HostileRequest[] => [
      { name: `path of 65 kB, ${path}`, path: path + 'a'.repeat(65_000), method: 'GET', isBody: false },
      {
        name: `path of 65 kB in parts, ${path}`,
        path: path + '/a'.repeat(32_500),
        method: 'GET',
        isBody: false,
      },
    ]),
  ];
}

export async function hostileRequests(): Promise<HostileRequest[]> {
  const jpegs = hostileJpegs().map(({ name, bytes }) => [`JPEG, ${name}`, bytes] as const);
  const pictures = { ...Object.fromEntries(jpegs), ...hostilePngs(), ...(await hostileWebps()) };
  const classify = Object.entries(pictures).map(([name, body]) => ({
    name,
    path: CLASSIFY,
    headers: { 'content-type': 'application/octet-stream' },
    body,
    isBody: true,
  }));
  return [...classify, ...bodies(pictures), ...headersAndPaths()];
}
