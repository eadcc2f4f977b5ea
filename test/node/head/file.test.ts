import { beforeAll, describe, expect, it } from 'vitest';
import { HeadwaterError } from '../../../src/errors.ts';
import { readHead, writeHead, type Head } from '../../../src/head/index.ts';
import { trainHead } from '../../../src/learn/ridge/train.ts';
import { readSafetensors, writeSafetensors, type Tensor } from '../../../src/safetensors.ts';
import { randomSet } from '../learn/random.ts';
import { refusal } from './refusal.ts';
import { linalg } from '../learn/linalg.ts';

let head: Head;
let file: Uint8Array;
beforeAll(async () => {
  head = await trainHead(randomSet(1, [12, 9, 11], 24), { linalg });
  file = writeHead(head);
});

/** The file with its metadata and tensors changed. */
function changed(
  change: (metadata: Record<string, string>, tensors: Map<string, Tensor>) => void,
): Uint8Array {
  const { metadata, tensors } = readSafetensors(file);
  const copy = new Map(
    [...tensors].map(([name, tensor]) => [name, { ...tensor, bytes: tensor.bytes.slice() }]),
  );
  const words = { ...metadata };
  change(words, copy);
  return writeSafetensors(copy, words);
}

/** The file with the first match of the pattern in the metadata's JSON text replaced. */
function edit(key: string, pattern: RegExp, replacement: string): Uint8Array {
  return changed((metadata) => {
    expect(metadata[key]).toMatch(pattern);
    metadata[key] = metadata[key].replace(pattern, replacement);
  });
}

const labels = (value: unknown) => () =>
  changed((metadata) => {
    metadata['labels'] = JSON.stringify(value);
  });

function setNumber(name: string, index: number, value: number): Uint8Array {
  return changed((_, tensors) => {
    const { bytes, dtype } = tensors.get(name)!;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (dtype === 'F16') view.setFloat16(index * 2, value, true);
    else view.setFloat32(index * 4, value, true);
  });
}

const formatOf = (bytes: Uint8Array) => readSafetensors(bytes).metadata['format'];

describe('a head file', () => {
  it('reads back as it was written', () => {
    expect(readHead(file)).toEqual(head);
  });

  it('is the same bytes when it is written again', () => {
    expect(writeHead(readHead(file))).toEqual(file);
  });

  it('can lie at any address', () => {
    const shifted = new Uint8Array(file.length + 3).subarray(3);
    shifted.set(file);
    expect(readHead(shifted)).toEqual(head);
  });

  it('carries no example', () => {
    const codes = randomSet(1, [12, 9, 11], 24).codes;
    for (const { code } of head.golden) {
      for (let i = 0; i < codes.length; i += 24)
        expect([...code]).not.toEqual([...codes.subarray(i, i + 24)]);
    }
  });

  it('keeps test metrics where there are any', () => {
    const tested = { ...head, training: { ...head.training, test: head.training.leaveOneOut! } };
    expect(readHead(writeHead(tested))).toEqual(tested);
  });
});

describe('a head file of the second format', () => {
  const input = { height: 160, width: 160, rules: 2 } as const;

  it('is written where a head has deviations or an input, and reads back as it was written', () => {
    const heads: Head[] = [
      { ...head, statistics: ['deviation'] },
      { ...head, input },
      { ...head, taps: ['one', 'two'], statistics: ['mean', 'deviation'], input },
    ];
    for (const each of heads) {
      const bytes = writeHead(each);
      expect(formatOf(bytes)).toBe('headwater-head/2');
      expect(readHead(bytes)).toEqual(each);
      expect(writeHead(readHead(bytes))).toEqual(bytes);
    }
  });

  it('is not written where the first says the same', () => {
    expect(formatOf(file)).toBe('headwater-head/1');
    expect(writeHead({ ...head, statistics: ['mean'] })).toEqual(file);
  });

  it('takes the task that is meant where none is named', () => {
    const named = changed((metadata) => {
      metadata['format'] = 'headwater-head/2';
      metadata['task'] = '"multiclass"';
    });
    expect(readHead(named)).toEqual(head);
  });

  it.each([
    ['statistics', '["mean"]'],
    ['input', JSON.stringify(input)],
    ['task', '"multiclass"'],
  ])('alone holds %s', (key, value) => {
    const first = changed((metadata) => {
      metadata[key] = value;
    });
    expect(refusal(() => readHead(first)).message).toMatch(`unknown key "${key}"`);
  });

  it.each([
    ['statistics', '["variance"]', /statistics\.0/],
    ['statistics', '[]', /statistics/],
    ['statistics', '["mean","deviation"]', /statistics has 2 entries for 1 taps/],
    ['statistics', JSON.stringify(Array.from({ length: 65 }, () => 'mean')), /statistics/],
    ['statistics', '{"all":"deviation"}', /statistics/],
    ['input', '{"height":160,"width":160}', /input\.rules/],
    ['input', '{"height":160,"width":160,"rules":3}', /input\.rules/],
    ['input', '{"height":0,"width":160,"rules":2}', /input\.height/],
    ['input', '{"height":160,"width":1025,"rules":2}', /input\.width/],
    ['input', '{"height":160.5,"width":160,"rules":2}', /input\.height/],
    ['input', '{"height":1e999,"width":160,"rules":2}', /input\.height/],
    ['input', '{"height":160,"width":160,"rules":2,"depth":3}', /input/],
    ['input', 'null', /input/],
    ['task', '"multilabel"', /task: heads with several labels a picture are not read yet/],
    ['task', '"regression"', /task: must be 'multiclass'/],
    ['task', '\u0000', /'task' are not JSON/],
  ])('is refused with %s %s', (key, value, message) => {
    const hostile = changed((metadata) => {
      metadata['format'] = 'headwater-head/2';
      metadata[key] = value;
    });
    const error = refusal(() => readHead(hostile));
    expect(error.code).toBe('head_invalid');
    expect(error.message).toMatch(message);
  });

  it('carries what the training set says of its codes', async () => {
    const set = { ...randomSet(1, [12, 9, 11], 24), statistics: ['deviation'] as const, input };
    const trained = await trainHead(set, { linalg });
    expect(trained).toMatchObject({ taps: ['all'], statistics: ['deviation'], input });
    expect(trained.weights).toEqual(head.weights);
    await expect(trainHead({ ...set, statistics: ['mean', 'mean'] }, { linalg })).rejects.toThrow(
      '2 statistics for 1 taps',
    );
  });
});

type Case = [string, () => Uint8Array, RegExp, string?];

describe('a hostile head file is refused', () => {
  const cases: Case[] = [
    ['empty', () => new Uint8Array(0), /only 0 bytes/],
    ['cut off', () => file.subarray(0, file.length - 1), /head file/],
    ['with bytes behind it', () => Uint8Array.from([...file, 0]), /no tensor covers/],
    [
      'a header longer than the file',
      () => Uint8Array.from([...new Uint8Array(7), 1, ...file]),
      /header claims/,
    ],
    ['too long', () => new Uint8Array(49 * 1024 * 1024), /too large/, 'head_too_large'],
    [
      'another format',
      () =>
        changed((metadata) => {
          metadata['format'] = 'headwater-head/9';
        }),
      /format/,
    ],
    [
      'an unknown key',
      () =>
        changed((metadata) => {
          metadata['note'] = '1';
        }),
      /unknown key "note"/,
    ],
    [
      'an unknown tensor',
      () =>
        changed((_, t) => {
          t.set('extra', t.get('bias')!);
        }),
      /unknown tensor "extra"/,
    ],
    [
      'a tensor missing',
      () =>
        changed((_, t) => {
          t.delete('bias');
        }),
      /lacks the tensor 'bias'/,
    ],
    [
      'metadata missing',
      () =>
        changed((metadata) => {
          delete metadata['taps'];
        }),
      /lack 'taps'/,
    ],
    [
      'metadata no JSON',
      () =>
        changed((metadata) => {
          metadata['taps'] = '{';
        }),
      /'taps' are not JSON/,
    ],
    ['equal labels', labels(['a', 'b', 'a']), /"a" occurs twice/],
    ['an empty label', labels(['a', '', 'c']), /label 1 is empty/],
    ['a control character', labels(['a', 'b\u0007', 'c']), /label 1 holds a control character/],
    ['half a surrogate pair', labels(['a', 'b\ud800', 'c']), /'labels' hold half of a surrogate pair/],
    ['a very long label', labels(['a', 'b'.repeat(129), 'c']), /label 1 has more than 128/],
    [
      '10⁶ labels',
      labels(Array.from({ length: 1e6 }, (_, i) => i.toString(36))),
      /too large/,
      'head_too_large',
    ],
    ['5000 labels', labels(Array.from({ length: 5000 }, (_, i) => `${i}`)), /5000 labels/, 'head_too_large'],
    ['fewer labels than weights', labels(['a', 'b']), /entries for 2 labels/],
    [
      'temperature 0',
      () =>
        changed((metadata) => {
          metadata['temperature'] = '0';
        }),
      /temperature/,
    ],
    [
      'temperature below 0',
      () =>
        changed((metadata) => {
          metadata['temperature'] = '-1';
        }),
      /temperature/,
    ],
    ['a hash that is none', () => edit('backbone', /(abab)+/, 'x'), /backbone.weights_sha256/],
    ['a spread of 0', () => edit('novelty', /"spread":[^}]*/, '"spread":0'), /novelty.residual.spread/],
    ...['5e-324', '1e-10', '1e13', '1e308'].map((spread): Case => [
      `a spread of ${spread}`,
      () => edit('novelty', /"spread":[^}]*/, `"spread":${spread}`),
      /novelty\.residual\.spread/,
    ]),
    ...['-1.7e308', '1e13', '1e400'].flatMap((value): Case[] => [
      [
        `a centre of ${value}`,
        () => edit('novelty', /("logit":{"centre":)[^,]*/, `$1${value}`),
        /novelty\.logit\.centre/,
      ],
      [
        `a threshold of ${value}`,
        () => edit('novelty', /"threshold":[^}]*/, `"threshold":${value}`),
        /novelty\.threshold/,
      ],
    ]),
    ...['1e-300', '5e-324', '1e7'].map((value): Case => [
      `a temperature of ${value}`,
      () => edit('temperature', /.+/, value),
      /temperature/,
    ]),
    ...['5e-324', '1e-13', '1e19', '-1'].map((value): Case => [
      `a λ of ${value}`,
      () => edit('training', /"lambda":[^,]*/, `"lambda":${value}`),
      /training\.lambda/,
    ]),
    [
      'a log-loss of 1e308',
      () => edit('training', /"log_loss":[^,]*/, '"log_loss":1e308'),
      /training\.leave_one_out\.log_loss/,
    ],
    ...['backbone', 'taps', 'training', 'labels'].map((key): Case => [
      `half a surrogate pair in its ${key}`,
      () => edit(key, /"([^":]*)"(?=[,\]}])/, '"\\ud800"'),
      new RegExp(`'${key}' hold half of a surrogate pair`),
    ]),
    [
      'half a surrogate pair in the name of a tensor',
      () =>
        changed((_, t) => {
          t.set('tail.\ud800', t.get('bias')!);
        }),
      /half of a surrogate pair/,
    ],
    ['a denormal deviation', () => setNumber('deviation', 3, 1e-40), /deviation/],
    ['a huge weight', () => setNumber('weights', 5, 1e30), /'weights' holds 1.0\d*e\+30 at 5/],
    ['counts that do not add up', () => edit('training', /"examples":32/, '"examples":5'), /add up/],
    [
      'an accuracy of 2',
      () => edit('training', /"accuracy":[^,]*/, '"accuracy":2'),
      /training.leave_one_out.accuracy/,
    ],
    ['NaN in the weights', () => setNumber('weights', 5, NaN), /'weights' holds NaN at 5/],
    ['infinity in the mean', () => setNumber('mean', 0, Infinity), /'mean' holds Infinity at 0/],
    [
      'NaN in the directions',
      () => setNumber('novelty.directions', 1, NaN),
      /'novelty.directions' holds NaN/,
    ],
    ['a deviation of 0', () => setNumber('deviation', 3, 0), /deviation/],
    ['a deviation below 0', () => setNumber('deviation', 3, -1), /deviation/],
    ['a variance below 0', () => setNumber('variances', 0, -1), /variances/],
    ['a variance that is none', () => setNumber('variances', 0, NaN), /'variances' holds NaN/],
    ['a wrong weight', () => setNumber('weights', 7, 0.5), /golden vector/],
    ['a wrong golden vector', () => setNumber('golden.probabilities', 0, 0.9), /golden vector 0/],
    [
      'weights of another shape',
      () =>
        changed((_, t) => {
          t.set('weights', { ...t.get('weights')!, shape: [24, 3] });
        }),
      /'weights' is F32 \[24, 3\] where F32 \[3, 24\]/,
    ],
    [
      'weights of another type',
      () =>
        changed((_, t) => {
          t.set('bias', { dtype: 'I32', shape: [3], bytes: new Uint8Array(12) });
        }),
      /'bias' is I32/,
    ],
    [
      'a mean of no length',
      () =>
        changed((_, t) => {
          t.set('mean', { dtype: 'F32', shape: [0], bytes: new Uint8Array(0) });
        }),
      /'mean' is not \[D\]/,
    ],
    [
      'no golden vector',
      () =>
        changed((_, t) => {
          t.set('golden.codes', { dtype: 'F32', shape: [0, 24], bytes: new Uint8Array(0) });
          t.set('golden.probabilities', { dtype: 'F32', shape: [0, 3], bytes: new Uint8Array(0) });
        }),
      /golden vectors/,
    ],
  ];
  it.each(cases)('%s', (_, make, message, code = 'head_invalid') => {
    const error = refusal(() => readHead(make()));
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  it('whatever single byte of it is wrong, or it still computes the same', () => {
    for (let at = 0; at < file.length; at += 7) {
      const damaged = file.slice();
      damaged[at] ^= 0x55;
      let read: Head | undefined;
      try {
        read = readHead(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(HeadwaterError);
      }
      if (read) expect(read.labels).toHaveLength(3);
    }
  });
});
