import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LabelledPicture } from '../../../trainer/datasets/dataset.ts';
import { dropCopies } from '../../../trainer/datasets/duplicates.ts';
import { listPictures, openDataSet } from '../../../trainer/datasets/index.ts';
import { png, temporaryFolder, writeFiles } from './workspace.ts';

describe('folders', () => {
  test('a folder is a class, read to any depth, sorted by code unit, hidden files left out', async () => {
    const folder = writeFiles(temporaryFolder(), {
      'b/2.png': png(0, 1),
      'b/deep/er/1.JPG': 'no picture, but it claims to be one',
      'b/.hidden.png': png(0, 2),
      'B/1.png': png(1, 1),
      '.git/x.png': png(1, 2),
    });
    const set = await openDataSet(folder);
    expect(set.labels).toEqual(['B', 'b']);
    expect(set.pictures.map(({ name, label }) => [name, label])).toEqual([
      ['B/1.png', 'B'],
      ['b/2.png', 'b'],
      ['b/deep/er/1.JPG', 'b'],
    ]);
  });

  test('files that are no pictures are named apart; pictures are known without an ending', async () => {
    const folder = writeFiles(temporaryFolder(), {
      'README.txt': 'hello',
      'a/Thumbs.db': 'x',
      'a/picture': png(0, 1),
      'a/empty': '',
      'stray.png': png(0, 2),
    });
    const set = await openDataSet(folder);
    expect(set.notPictures.toSorted()).toEqual(['README.txt', 'a/Thumbs.db', 'a/empty']);
    expect(set.pictures.map((picture) => picture.name)).toEqual(['a/picture']);
    expect(set.skipped).toEqual([
      { name: 'stray.png', reason: 'unlabelled', detail: 'It lies outside every class folder.' },
    ]);
  });

  test('symbolic links are followed, but neither in circles nor back to the data set', async () => {
    const elsewhere = writeFiles(temporaryFolder(), { 'more/x.png': png(0, 3) });
    const folder = writeFiles(temporaryFolder(), { 'a/1.png': png(0, 1), 'b/1.png': png(1, 1) });
    symlinkSync(join(elsewhere, 'more'), join(folder, 'a/linked'));
    symlinkSync('.', join(folder, 'a/self'));
    symlinkSync('..', join(folder, 'a/up'));
    symlinkSync('../..', join(folder, 'a/further-up'));
    symlinkSync('nowhere', join(folder, 'a/broken.png'));
    const set = await openDataSet(folder);
    expect(set.pictures.map((picture) => picture.name)).toEqual(['a/1.png', 'a/linked/x.png', 'b/1.png']);
    expect(set.skipped).toEqual([
      { name: 'a/broken.png', reason: 'unusable', detail: 'It cannot be read: it does not exist.' },
    ]);
  });

  test('a label is the same however the file system spells it', async () => {
    const folder = writeFiles(temporaryFolder(), { 'cafe\u0301/1.png': png(0, 1), 'tea/1.png': png(1, 1) });
    expect((await openDataSet(folder)).labels).toEqual(['caf\u00e9', 'tea']);
  });

  test('a class without pictures is announced all the same', async () => {
    const folder = writeFiles(temporaryFolder(), { 'a/1.png': png(0, 1) });
    mkdirSync(join(folder, 'b'));
    expect((await openDataSet(folder)).labels).toEqual(['a', 'b']);
  });

  test.each([
    ['no folders at all', {}, /holds no folders/],
    ['pictures but no folders', { '1.png': png(0, 1) }, /holds 1 pictures but no folders/],
  ])('%s is an error that says what to do', async (_, files, message) => {
    await expect(openDataSet(writeFiles(temporaryFolder(), files))).rejects.toThrow(message);
  });

  test('a path that does not exist is named', async () => {
    await expect(openDataSet('/nowhere/at/all')).rejects.toThrow(
      'Could not open /nowhere/at/all: it does not exist.',
    );
  });

  test('pictures without labels come from folders of any shape', async () => {
    const folder = writeFiles(temporaryFolder(), {
      '1.png': png(0, 1),
      'x/y/2.png': png(0, 2),
      'n.txt': 'n',
    });
    const listing = await listPictures(folder);
    expect(listing.pictures.map((picture) => picture.name)).toEqual(['1.png', 'x/y/2.png']);
    expect(listing.notPictures).toEqual(['n.txt']);
  });
});

describe('manifests', () => {
  const pictures = { 'p/1.png': png(0, 1), 'p/with, comma.png': png(1, 1) };

  test('CSV: quoted fields, other columns, byte order mark, blank lines, any order of columns', async () => {
    const folder = writeFiles(temporaryFolder(), {
      ...pictures,
      'set.csv': '\ufeffLabel,split,Path\r\n"glass, clear",x,p/1.png\r\n\r\nmetal,y,"p/with, comma.png"\r\n',
    });
    const set = await openDataSet(join(folder, 'set.csv'));
    expect(set.pictures.map(({ name, label }) => [name, label])).toEqual([
      ['p/1.png', 'glass, clear'],
      ['p/with, comma.png', 'metal'],
    ]);
    expect(set.pictures[0]?.path).toBe(join(folder, 'p/1.png'));
  });

  test('JSONL: one object a line, absolute paths too', async () => {
    const folder = writeFiles(temporaryFolder(), pictures);
    const lines = [
      { path: 'p/1.png', label: 'a', other: 1 },
      { path: join(folder, 'p/with, comma.png'), label: 'b' },
    ];
    writeFiles(folder, { 'set.jsonl': `${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n` });
    const set = await openDataSet(join(folder, 'set.jsonl'));
    expect(set.labels).toEqual(['a', 'b']);
    expect(set.pictures).toHaveLength(2);
  });

  test('rows that cannot be used are skipped with their line', async () => {
    const folder = writeFiles(temporaryFolder(), {
      ...pictures,
      'set.csv': 'path,label\np/1.png,a\ngone.png,a\np/1.png,\n,b\np,b\n',
    });
    const set = await openDataSet(join(folder, 'set.csv'));
    expect(set.pictures).toHaveLength(1);
    expect(set.skipped.map(({ reason, detail }) => [reason, detail])).toEqual([
      ['unusable', 'Line 3: it does not exist.'],
      ['unlabelled', 'Line 4 gives no label.'],
      ['unusable', 'Line 5 names no file.'],
      ['unusable', 'Line 6: it is no file.'],
    ]);
  });

  test.each([
    ['empty.csv', '', /is empty/],
    ['header.csv', 'file,class\na,b\n', /columns path and label; its first line has: file, class/],
    ['quote.csv', 'path,label\n"a,b\n', /is not valid CSV/],
    ['line.jsonl', '{"path":"a","label":"b"}\nnot json\n', /no JSON object on line 2/],
    ['type.jsonl', '{"path":"a","label":7}\n', /line 1 that is not a string/],
    ['array.jsonl', 'null\n', /no JSON object on line 1/],
  ])('%s is refused with its fault', async (name, text, message) => {
    const folder = writeFiles(temporaryFolder(), { [name]: text });
    await expect(openDataSet(join(folder, name))).rejects.toThrow(message);
  });

  test('a file of another kind is a wrong call', async () => {
    const folder = writeFiles(temporaryFolder(), { 'set.xlsx': 'x' });
    await expect(openDataSet(join(folder, 'set.xlsx'))).rejects.toMatchObject({ name: 'UsageError' });
  });
});

function picture(name: string, label: string, sha256: string): LabelledPicture & { sha256: string } {
  return { path: `/${name}`, name, label, sha256 };
}

describe('copies', () => {
  test('one of each class stays; under two labels none does', () => {
    const { kept, skipped } = dropCopies([
      picture('a/1', 'a', 'one'),
      picture('a/2', 'a', 'one'),
      picture('a/3', 'a', 'two'),
      picture('b/1', 'b', 'two'),
      picture('b/2', 'b', 'two'),
      picture('b/3', 'b', 'three'),
    ]);
    expect(kept.map(({ name }) => name)).toEqual(['a/1', 'b/3']);
    expect(skipped.map(({ name, reason }) => [name, reason])).toEqual([
      ['a/2', 'duplicate'],
      ['a/3', 'conflict'],
      ['b/1', 'conflict'],
      ['b/2', 'conflict'],
    ]);
    expect(skipped[1]?.detail).toContain("the same picture is 'b' in b/1");
    expect(skipped[3]?.detail).toContain("the same picture is 'a' in a/3");
  });
});
