/** What the pages of the documentation point to is there, and README's pictures are small. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../../scripts/build/stale.ts';
import { pages } from './pages.ts';

const MAX_PICTURE_BYTES = 150_000;
const PAGES = pages();

const read = (page: string): string =>
  readFileSync(join(root, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');

/** As GitHub makes them of headings. */
const anchors = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe.each(PAGES)('%s', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
    .map(([, link, source]) => link ?? source)
    .filter((link) => !/^[a-z]+:/.test(link));

  it.each(links)('points to %s, which is there', (link) => {
    const [path, anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    expect(existsSync(join(root, target)), target).toBe(true);
    if (anchor !== undefined) expect(anchors(target)).toContain(anchor);
  });

  it('has no link that leaves the project', () => {
    expect(links.filter((link) => join(dirname(page), link).startsWith('..'))).toEqual([]);
  });
});

it("README's pictures are small", () => {
  const folder = join(root, 'docs/images');
  for (const name of readdirSync(folder)) {
    expect(statSync(join(folder, name)).size, name).toBeLessThan(MAX_PICTURE_BYTES);
  }
});
