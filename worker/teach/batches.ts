/**
 * The body of a teach request, taken apart: a form whose fields are labels (or `label` and `image`), or JSON with
 * pictures in base64, URLs, or codes that /v1/embed made elsewhere.
 */
import {
  MAX_EXAMPLES_PER_REQUEST,
  MAX_URLS_PER_REQUEST,
  TaughtLabel,
  TeachBody,
} from '../../src/api/index.ts';
import { sameSpace, shortest, spaceInWords } from '../../src/head/index.ts';
import { checkJson } from '../http/body.ts';
import type { Part } from '../http/multipart.ts';
import { fromBase64 } from '../http/pictures.ts';
import { ApiError } from '../http/problem.ts';
import { CodeSpaceFields } from '../tenant/code-origin.ts';
import { utf8 } from '../http/utf8.ts';
import type { CodeSpace } from './code-space.ts';

/** One labelled thing as it came. `name` is what its sender calls it, for messages. */
export type SentExample = { readonly label: string; readonly name: string } & (
  | { readonly kind: 'picture'; readonly bytes: Uint8Array }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'code'; readonly code: Float16Array; readonly picture: string | undefined }
);

const LABEL = 'label';
const IMAGE = 'image';

/** Of a form: pictures, and labels between them. */
export const MAX_FORM_PARTS = 2 * MAX_EXAMPLES_PER_REQUEST;

const isLabel = ({ name, filename }: Part): boolean => name === LABEL && filename === undefined;

/** @throws ApiError invalid_request */
export function examplesOfForm(parts: readonly Part[]): SentExample[] {
  const labels = parts.filter(isLabel);
  // The only label of a form counts for all its pictures, wherever it stands; several count for those behind them.
  let label = labels.length === 1 ? textOf(labels[0].bytes) : undefined;
  const sent: SentExample[] = [];
  for (const part of parts) {
    if (isLabel(part)) {
      label = textOf(part.bytes);
      continue;
    }
    const named = part.name === IMAGE ? label : part.name;
    if (named === undefined) throw invalid(`a field '${IMAGE}' needs a field '${LABEL}' before it`, IMAGE);
    const name = part.filename === undefined || part.filename === '' ? `${sent.length + 1}` : part.filename;
    sent.push({ label: named, name: name.slice(0, 120), kind: 'picture', bytes: part.bytes });
  }
  if (sent.length === 0) throw invalid('it holds no picture; send files in fields named after their labels');
  if (sent.length > MAX_EXAMPLES_PER_REQUEST)
    throw invalid(`it holds ${sent.length} pictures; send up to ${MAX_EXAMPLES_PER_REQUEST} at once`);
  const known = normalised(sent.map(({ label }) => label));
  return sent.map((item) => ({ ...item, label: known.get(item.label)! }));
}

/**
 * @param space what codes must be of.
 * @throws ApiError invalid_request, backbone_mismatch
 */
export function examplesOfJson(body: Uint8Array, space: CodeSpace): SentExample[] {
  const json = checkJson(body, TeachBody);
  if (json.backbone !== undefined) checkSpace(json.backbone.weights_sha256, json, space);
  const sent = json.examples.map((example, i): SentExample => {
    const place = { label: example.label, name: `${i + 1}` };
    if ('image' in example)
      return { ...place, kind: 'picture', bytes: fromBase64(example.image, `examples.${i}.image`) };
    if ('url' in example) return { ...place, kind: 'url', url: example.url };
    if (json.backbone === undefined)
      throw invalid("codes need 'backbone' beside 'examples', as /v1/embed answered it", 'backbone');
    const code = codeOf(example.code, space.origin.codeLength, `examples.${i}.code`);
    return { ...place, kind: 'code', code, picture: example.picture };
  });
  const urls = sent.filter(({ kind }) => kind === 'url').length;
  if (urls > MAX_URLS_PER_REQUEST)
    throw invalid(`it holds ${urls} URLs; send up to ${MAX_URLS_PER_REQUEST} at once`);
  return sent;
}

/** @throws ApiError backbone_mismatch for codes that the head's examples can't be. */
function checkSpace(
  backbone: string,
  { base, space }: TeachBody,
  { origin, runtime: { plan } }: CodeSpace,
): void {
  if (base !== origin.base?.sha256) {
    throw new ApiError(
      'backbone_mismatch',
      origin.base === undefined
        ? 'These codes are of an uploaded head, but this one is taught with codes of the backbone; embed the pictures again without ?head=.'
        : `This head was uploaded and reads codes of its own; embed the pictures with /v1/embed?head=NAME and send 'base' as it answers.`,
      { field: 'base' },
    );
  }
  if (backbone !== origin.weightsSha256) {
    throw new ApiError(
      'backbone_mismatch',
      `These codes are of backbone ${backbone.slice(0, 12)}…, but this head's are of ${origin.weightsSha256.slice(0, 12)}…; embed the pictures again with /v1/embed?head=NAME.`,
    );
  }
  // The hash of an uploaded head names what it reads.
  if (space === undefined && base !== undefined) return;
  const { weightsSha256, codeLength } = origin;
  const named = space ?? { taps: plan.taps.map(({ name }) => name) };
  // How long they are is compared with each code: see codeOf.
  const sent = shortest(CodeSpaceFields.parse({ ...named, weightsSha256, codeLength }), plan);
  const wanted = shortest(origin, plan);
  if (sameSpace(sent, wanted)) return;
  throw new ApiError(
    'backbone_mismatch',
    `These codes are of ${spaceInWords(sent)}, but this head's are of ${spaceInWords(wanted)}; embed the pictures again with /v1/embed?head=NAME and send 'space' as it answers.`,
    { field: 'space' },
  );
}

/** JSON numbers, or little-endian half precision in base64: the two encodings of /v1/embed. */
function codeOf(code: string | readonly number[], codeLength: number, field: string): Float16Array {
  const numbers = typeof code === 'string' ? halves(fromBase64(code, field), field) : Float16Array.from(code);
  if (numbers.length !== codeLength)
    throw invalid(`it has ${numbers.length} numbers where a code has ${codeLength}`, field);
  if (!numbers.every(Number.isFinite))
    throw invalid('it holds a number that half precision cannot hold', field);
  return numbers;
}

function halves(bytes: Uint8Array, field: string): Float16Array {
  if (bytes.byteLength % 2 !== 0) throw invalid('it is no list of 2-byte numbers', field);
  // fromBase64 allocates afresh, so that the offset is 0.
  return new Float16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}

/** @returns by each label as it came, how it is written. @throws ApiError invalid_request for one that no head may have. */
function normalised(labels: readonly string[]): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  for (const label of new Set(labels)) {
    const { data, error } = TaughtLabel.safeParse(label);
    if (error !== undefined)
      throw invalid(`the label '${label.slice(0, 40)}': ${error.issues[0].message}`, LABEL);
    known.set(label, data);
  }
  return known;
}

function textOf(bytes: Uint8Array): string {
  const text = utf8(bytes);
  if (text === undefined) throw invalid(`a field '${LABEL}' is not UTF-8`, LABEL);
  return text;
}

function invalid(what: string, field?: string): ApiError {
  return new ApiError('invalid_request', `The body cannot be taught from: ${what}.`, { field });
}
