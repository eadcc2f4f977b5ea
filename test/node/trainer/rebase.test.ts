/** headwater rebase against an HTTP server that stands for the Worker. */
import { describe, expect, test } from 'vitest';
import { serve } from './serve.ts';
import { headwater, temporaryFolder } from './workspace.ts';

const metrics = (accuracy: number) => ({ examples: 40, accuracy, log_loss: 0.25 });
const judged = (version: number, accuracy: number) => ({ version, leave_one_out: metrics(accuracy) });
const at = (state: string, done: number, more: object = {}) => ({
  status: 200,
  body: { head: 'h', state, to: { name: 'later', version: '2' }, total: 40, done, ...more },
});
const DONE = at('done', 40, { before: judged(1, 0.8), after: judged(2, 0.875) });
const remote = (url: string) => ['--url', url, '--key', 'k'];

describe('rebase', () => {
  test('goes on from where it is until it is done, and prints both accuracies', async () => {
    const answers = [at('under_way', 8), at('under_way', 40), DONE];
    const { url, requests } = await serve((_, count) => answers[count - 1] ?? DONE);
    const { stdout, stderr, code } = await headwater(['rebase', 'h', ...remote(url)], {
      cwd: temporaryFolder(),
    });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('h was moved to the codes of later 2.');
    expect(stdout).toMatch(/before +1 +40 +80\.0 +0\.250\nafter +2 +40 +87\.5 +0\.250/);
    expect(stderr).toContain('8 of 40 pictures were read before.');
    expect(requests.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
      'GET /v1/heads/h/rebase',
      'POST /v1/heads/h/rebase',
      'POST /v1/heads/h/rebase',
    ]);
  });

  test('of a head that is there already only tells so', async () => {
    const { url, requests } = await serve(() => DONE);
    const { stdout } = await headwater(['rebase', 'h', '--json', ...remote(url)], {
      cwd: temporaryFolder(),
    });
    expect(JSON.parse(stdout)).toEqual(DONE.body);
    expect(requests).toHaveLength(1);
  });

  test('ends where somebody else gave the move up, and gives it up itself', async () => {
    const { url, requests } = await serve(() => at('not_begun', 0));
    const moved = await headwater(['rebase', 'h', ...remote(url)], { cwd: temporaryFolder() });
    expect(moved).toMatchObject({ code: 1, stderr: 'Error: Moving h was given up meanwhile.\n' });
    const given = await headwater(['rebase', 'h', '--give-up', ...remote(url)], { cwd: temporaryFolder() });
    expect(given.stdout).toBe('h stays as it was.\n');
    expect(requests.at(-1)?.method).toBe('DELETE');
  });

  test('says what stands in the way', async () => {
    const detail = "Head 'h' cannot be moved: 4 of its examples have no picture.";
    const { url } = await serve(({ method }) =>
      method === 'GET' ? at('not_begun', 0) : { status: 409, body: { code: 'conflict', detail } },
    );
    const moved = await headwater(['rebase', 'h', ...remote(url)], { cwd: temporaryFolder() });
    expect(moved).toMatchObject({ code: 1, stderr: `Error: ${detail}\n` });
  });
});
