/** JSON that a schema would not have: odd values anywhere in a right one, and texts that no serialiser writes. */
import type { Random } from './random.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A text that stands in the place of a value, to be written as it is. */
const RAW = 'raw:';
const CHANGES = 2;
const DEPTH = 3_000;
/** Of a list whose items are repeated: a list in a list would else fill the memory. */
const MOST_TEXT = 3_000_000;

const NUMBERS = [
  '-0',
  '1e999',
  '-1e999',
  '5e-324',
  '1e308',
  '9007199254740993',
  '1.5',
  '-1',
  '0',
  '4294967296',
  '1e-7',
  '0.1',
];
const TEXTS = [
  '',
  ' ',
  '\0',
  '\u202e',
  '\ufeff',
  '__proto__',
  'constructor',
  '../..',
  'null',
  'NaN',
  '💧',
  'e\u0301',
  "';--",
  '%00',
  '2026-02-30T25:61:00Z',
  'a'.repeat(129),
  'x'.repeat(20_000),
  '\u0301'.repeat(4_000),
];
const RAWS = [
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '[' + '['.repeat(DEPTH) + ']'.repeat(DEPTH) + ']',
  '{"a":'.repeat(DEPTH) + '1' + '}'.repeat(DEPTH),
  `[${'0,'.repeat(30_000)}0]`,
  `{${Array.from({ length: 3_000 }, (_, i) => `"k${i}":0`).join(',')}}`,
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":true}}',
  '01',
  '"\\x"',
  'NaN',
  '1e99999',
];

/** @returns the text of the value after some changes; rarely one that is no JSON. */
export function fuzzedJson(random: Random, value: Json): string {
  let result = value;
  for (let i = random.below(CHANGES); i >= 0; i--) result = changeSomewhere(random, result);
  const text = written(result);
  return random.oneIn(6) ? changeText(random, text) : text;
}

/** Goes down some way at random and changes what it finds there. */
export function changeSomewhere(random: Random, value: Json): Json {
  if (typeof value !== 'object' || value === null || random.oneIn(6)) return changedValue(random, value);
  if (isList(value)) return changeItem(random, value);
  const names = Object.keys(value);
  if (names.length === 0 || random.oneIn(8))
    return { ...value, [random.pick([...TEXTS, ...names, 'more'])]: oddValue(random) };
  const name = random.pick(names);
  if (random.oneIn(8)) return Object.fromEntries(Object.entries(value).filter(([each]) => each !== name));
  return Object.fromEntries(
    Object.entries(value).map(([each, inner]) => [
      each,
      each === name ? changeSomewhere(random, inner) : inner,
    ]),
  );
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

function changeItem(random: Random, list: readonly Json[]): Json {
  if (list.length === 0) return [oddValue(random)];
  const at = random.below(list.length);
  return random.do<Json>(
    () => list.map((item, i) => (i === at ? changeSomewhere(random, item) : item)),
    () => list.map((item, i) => (i === at ? changeSomewhere(random, item) : item)),
    () => list.filter((_, i) => i !== at),
    () => [...list, list[at]],
    () => repeated(list[at], random.pick([2, 33, 257, 2_001])),
    () => [],
  );
}

function repeated(item: Json, times: number): Json[] {
  const fitting = Math.floor(MOST_TEXT / (written(item).length + 1));
  return Array.from({ length: Math.min(times, fitting) }, () => item);
}

function changedValue(random: Random, value: Json): Json {
  if (typeof value === 'string' && value !== '' && !random.oneIn(3)) return changedString(random, value);
  if (typeof value === 'number' && random.oneIn(2))
    return value + random.pick([-1, 1, 0.5, -value, value, 1e9]);
  return oddValue(random);
}

/** Names, numbers, hashes and base64 that are nearly right. */
function changedString(random: Random, text: string): string {
  const at = random.below(text.length);
  return random.do(
    () => text.slice(0, at),
    () => text.slice(0, at) + random.pick(['=', '\n', '-', '_', ' ', 'é', '\0', 'A']) + text.slice(at),
    () => text.slice(0, at) + random.pick(['=', '+', '/', 'A', 'z', '9']) + text.slice(at + 1),
    () => text + text,
    () => text.toUpperCase(),
  );
}

function oddValue(random: Random): Json {
  return random.do<Json>(
    () => RAW + random.pick(NUMBERS),
    () => random.pick(TEXTS),
    () => RAW + random.pick(RAWS),
    () => random.pick([null, true, false, '', 0, [], {}]),
    () => random.odd(32),
  );
}

/** As JSON.stringify does it, with raw texts in their place. */
export function written(value: Json): string {
  if (typeof value === 'string')
    return value.startsWith(RAW) ? value.slice(RAW.length) : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(written).join(',')}]`;
  const fields = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}:${written(inner)}`);
  return `{${fields.join(',')}}`;
}

function changeText(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  return random.do(
    () => text.slice(0, at),
    () =>
      text.slice(0, at) +
      random.pick(['{', '[', ',', '"', '\\', '\ufeff', '\0', '}', '//', '1e9']) +
      text.slice(at),
    () => text + text,
    () => `\ufeff${text}`,
    () => `${' '.repeat(50_000)}${text}`,
    // A field once more: which of the two counts?
    () => text.replace(/^\{("[^"]{1,40}":)/, '{$1null,$1'),
  );
}
