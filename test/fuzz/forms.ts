/** Forms (multipart/form-data) that are nearly right. */
import { ascii, changeBytes, changed, changeList, joinedList, type Bytes } from './bytes.ts';
import type { Random } from './random.ts';

export interface Field {
  readonly name: string;
  readonly filename?: string;
  readonly bytes: Uint8Array;
}

export interface Form {
  readonly type: string;
  readonly bytes: Bytes;
}

interface Part {
  readonly head: string;
  readonly bytes: Uint8Array;
}

const CHANGES = 3;
const MOST_PARTS = 300;
const BOUNDARIES = [
  'x',
  '-',
  '--',
  'a b',
  '"',
  'B'.repeat(70),
  'B'.repeat(71),
  '',
  '\t',
  "'()+_,-./:=?",
  '0',
];
const HEADS = [
  '',
  '\r\n',
  'Content-Disposition: form-data',
  'Content-Disposition: form-data; name=""',
  'Content-Disposition: attachment; name="image"',
  'content-disposition:form-data;name=image;name="b"',
  'Content-Disposition: form-data; name="image"; filename="a\\"b; c.jpg"',
  'Content-Disposition: form-data; name="image\0"',
  "Content-Disposition: form-data; name*=UTF-8''image",
  'Content-Disposition: form-data; name="__proto__"',
  `X: ${'y'.repeat(5_000)}\r\nContent-Disposition: form-data; name="image"`,
  `Content-Disposition: form-data; ${';'.repeat(3_000)} name="image"`,
  `Content-Disposition: form-data; name="${'%22'.repeat(1_000)}"`,
];

export function fuzzedForm(random: Random, fields: readonly Field[]): Form {
  const boundary = random.oneIn(6) ? random.pick(BOUNDARIES) : `b${random.below(1e6)}`;
  const whole = fields.map(partOf);
  const parts = random.oneIn(4)
    ? whole
    : changed(random, whole, CHANGES, (each) =>
        changeList(random, each, {
          change: (part) => changePart(random, part, boundary),
          make: () => ({ head: random.pick(HEADS), bytes: random.bytes(random.below(50)) }),
          most: MOST_PARTS,
          bytesOf: ({ bytes }) => bytes.length,
        }),
      );
  const bytes = written(random, parts, boundary);
  const quoted = random.oneIn(3) ? `"${boundary}"` : boundary;
  const type = random.oneIn(10)
    ? random.pick([
        'multipart/form-data',
        'multipart/form-data; boundary',
        `multipart/form-data; charset=utf-8;boundary=${quoted};boundary=z`,
        `multipart/mixed; boundary=${quoted}`,
        `Multipart/Form-Data;;; BOUNDARY=${quoted}`,
      ])
    : `multipart/form-data; boundary=${quoted}`;
  return { type, bytes: random.oneIn(8) ? changeBytes(random, bytes) : bytes };
}

function partOf({ name, filename, bytes }: Field): Part {
  const file = filename === undefined ? '' : `; filename="${filename}"`;
  return { head: `Content-Disposition: form-data; name="${name}"${file}`, bytes };
}

function changePart(random: Random, part: Part, boundary: string): Part {
  return random.do(
    () => ({ ...part, head: random.pick(HEADS) }),
    () => ({ ...part, head: new TextDecoder('latin1').decode(changeBytes(random, ascii(part.head))) }),
    () => ({ ...part, bytes: changeBytes(random, part.bytes) }),
    // A boundary inside, whole or nearly, and a form in the form.
    () => ({
      ...part,
      bytes: joinedList([part.bytes, ascii(`\r\n--${boundary}${random.pick(['x', '-', '', '--'])}`)]),
    }),
    () => ({ ...part, bytes: ascii(`--${boundary}\r\n${part.head}\r\n\r\n`) }),
    () => ({ ...part, bytes: ascii('\r\n--'.repeat(2_000)) }),
  );
}

function written(random: Random, parts: readonly Part[], boundary: string): Bytes {
  const line = random.oneIn(10) ? '\n' : '\r\n';
  const end = random.oneIn(10) ? random.pick(['', '-', '\r\n', '--x']) : '--\r\n';
  return joinedList([
    ascii(random.oneIn(10) ? 'a preamble\r\n' : ''),
    ...parts.flatMap(({ head, bytes }) => [
      ascii(`--${boundary}${line}${head}${line}${line}`),
      bytes,
      ascii(line),
    ]),
    ascii(`--${boundary}${end}`),
  ]);
}
