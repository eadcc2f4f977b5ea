/** The Worker's small parts: what they bound, and what they do when something fails. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkUrl, fetchPicture } from '../../worker/http/fetch-picture.ts';
import { Leases } from '../../worker/isolate/leases.ts';
import { parseMultipart } from '../../worker/http/multipart.ts';
import { ByteLru } from '../../worker/stores/byte-lru.ts';
import { RefreshingCache } from '../../worker/stores/refreshing-cache.ts';

const CLOCK: Parameters<typeof vi.useFakeTimers>[0] = { toFake: ['setTimeout', 'clearTimeout', 'Date'] };

/** What a promise gives once so much time has passed on the fake clock. */
async function past<T>(promise: Promise<T>, ms: number): Promise<T> {
  await vi.advanceTimersByTimeAsync(ms);
  return promise;
}

describe('leases', () => {
  afterEach(() => void vi.useRealTimers());

  it('never lend more than there is, and lend it all in turn', async () => {
    const leases = new Leases(10, { leaseMs: 60_000, waitMs: 60_000 });
    let most = 0;
    const tasks = Array.from({ length: 20 }, () =>
      leases.with(4, async () => {
        most = Math.max(most, leases.inUse);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }),
    );
    await Promise.all(tasks);
    expect(most).toBe(8);
    expect(leases.inUse).toBe(0);
  });

  it('turn a request away that waited too long, and take back what was never returned', async () => {
    vi.useFakeTimers(CLOCK);
    const leases = new Leases(1, { leaseMs: 50, waitMs: 20 });
    const stuck = leases.with(1, () => new Promise<void>((resolve) => setTimeout(resolve, 200)));
    await past(expect(leases.with(1, async () => 'in')).rejects.toMatchObject({ code: 'overloaded' }), 40);
    await vi.advanceTimersByTimeAsync(50);
    expect(await leases.with(1, async () => 'in')).toBe('in');
    await past(stuck, 200);
  });

  it('grow where there is room, live anew when they do, and never take more than there is', async () => {
    vi.useFakeTimers(CLOCK);
    const leases = new Leases(10, { leaseMs: 50, waitMs: 20 });
    await leases.with(2, async (grow) => {
      await leases.with(4, async () => {
        await grow(3);
        expect(leases.inUse).toBe(9);
        await past(expect(grow(2)).rejects.toMatchObject({ code: 'overloaded' }), 40);
        expect(leases.inUse).toBe(9);
      });
      await expect(grow(100)).rejects.toMatchObject({ code: 'body_too_large' });
      await grow(5);
      expect(leases.inUse).toBe(10);
      for (let i = 0; i < 3; i++) {
        await vi.advanceTimersByTimeAsync(30);
        await grow(0);
      }
      expect(leases.inUse).toBe(10);
      await vi.advanceTimersByTimeAsync(60);
      expect(leases.inUse).toBe(0);
    });
  });
});

describe('the byte-bounded cache', () => {
  it('drops what was used longest ago, and keeps nothing too large', () => {
    const cache = new ByteLru<string>(10, new Leases(Infinity, { leaseMs: 1, waitMs: 1 }));
    cache.set('a', 'A', 4);
    cache.set('b', 'B', 4);
    expect(cache.get('a')).toBe('A');
    cache.set('c', 'C', 4);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual(['A', undefined, 'C']);
    cache.set('d', 'D', 11);
    expect(cache.get('d')).toBeUndefined();
    cache.set('a', 'A2', 6);
    expect(cache.bytes).toBe(10);
  });
});

describe('the refreshing cache', () => {
  const options = { freshMs: 100, staleMs: 200, entries: 2 };

  it('uses a fresh value, refreshes an older one behind the request, and waits for an old one', async () => {
    const cache = new RefreshingCache<number>(options);
    let loads = 0;
    const loader = async () => ++loads;
    const start = Date.now();
    const clock = vi.spyOn(Date, 'now');
    const at = async (ms: number) => {
      clock.mockImplementation(() => start + ms);
      const value = await cache.get('a', loader);
      await new Promise((resolve) => setTimeout(resolve, 1));
      return value;
    };
    expect([await at(0), await at(99)]).toEqual([1, 1]);
    expect([await at(150), await at(151)]).toEqual([1, 2]);
    expect(await at(400)).toBe(3);
    clock.mockRestore();
  });

  it('keeps a value that was set while an older one was on its way', async () => {
    const cache = new RefreshingCache<string>(options);
    const loading = cache.get('a', async () => {
      cache.set('a', 'written here');
      return 'read elsewhere';
    });
    await loading;
    expect(cache.peek('a')).toBe('written here');
  });

  it('keeps no failure and no more entries than it may', async () => {
    const cache = new RefreshingCache<number>(options);
    await expect(cache.get('a', async () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await cache.get('a', async () => 1)).toBe(1);
    cache.set('b', 2);
    cache.set('c', 3);
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([undefined, 2, 3]);
  });
});

describe('multipart', () => {
  it.each([
    ['quotes as browsers write them', 'name="a%22b"; filename="c.jpg"', ['a"b', 'c.jpg', 'x']],
    ['quotes as curl writes them', 'name="a\\"b"', ['a"b', undefined, 'x']],
    ['a filename first', 'filename="n; name=z"; name="a"', ['a', 'n; name=z', 'x']],
    ['plain words', 'name=a; filename=b', ['a', 'b', 'x']],
    ['a name in UTF-8', 'name="Größe"', ['Größe', undefined, 'x']],
  ])('%s', (_, disposition, part) => {
    expect(parse(`--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\nx\r\n--b--\r\n`)).toEqual([
      part,
    ]);
  });

  it('a boundary inside a line is content', () => {
    const content = 'one --b two\r\n-b\r\n\r\n';
    expect(parse(`--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n${content}\r\n--b--`)).toEqual([
      ['a', undefined, content],
    ]);
  });
});

describe('pictures from URLs', () => {
  it('follow redirects to public hosts', async () => {
    const { fetcher, fetched } = serve({
      'https://a.example/x': redirect('/y'),
      'https://a.example/y': redirect('https://b.example/z'),
      'https://b.example/z': () => new Response('picture'),
    });
    expect(await (await fetchPicture('https://a.example/x', fetcher)).text()).toBe('picture');
    expect(fetched).toHaveLength(3);
  });

  it.each([
    'http://a.example/',
    'https://169.254.169.254/latest',
    'https://metadata.internal/',
    'https://10.0.0.1/',
    'https://db.localdomain/',
    'https://kubernetes.default.svc/',
    'https://intern/',
    '//[::ffff:10.0.0.1]/',
    'https://0177.0.0.1/',
  ])('do not follow a redirect to %s', async (location) => {
    const { fetcher, fetched } = serve({ 'https://a.example/x': redirect(location) });
    await expect(fetchPicture('https://a.example/x', fetcher)).rejects.toMatchObject({ code: 'url_refused' });
    expect(fetched).toHaveLength(1);
  });

  it('fail on endless redirects, on errors and on silence', async () => {
    const loop = serve({ 'https://a.example/x': redirect('https://a.example/x') });
    await expect(fetchPicture('https://a.example/x', loop.fetcher)).rejects.toMatchObject({
      code: 'url_failed',
    });
    expect(loop.fetched).toHaveLength(4);
    const missing = serve({ 'https://a.example/x': () => new Response('no', { status: 404 }) });
    await expect(fetchPicture('https://a.example/x', missing.fetcher)).rejects.toThrow('status 404');
    await expect(fetchPicture('https://a.example/x', down)).rejects.toThrow('could not be reached');
  });

  it.each([
    'https://0x7f.1/',
    'https://127.1/',
    'https://a/',
    'https://a.local./',
    'https://[fd00::1]/',
    'https://１２７.0.0.1/',
    'https://127.0.0.1./',
    'https://0177.0.0.01/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://1.0x0/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::7f00:1]/',
    'https://localhost/',
    'https://localhost./',
    'https://%6cocalhost/',
    'https://a.localhost/',
    'https://LOCALHOST.LOCALDOMAIN/',
    'https://host.localdomain./',
    'https://host.localdomain6/',
    'https://wiki.intra/',
    'https://a-pod.namespace.pod/',
    'https://metadata.google.internal./',
    'https://api.default.svc/',
    'https://api.default.svc.cluster.local/',
    'https://host.docker.internal/',
    'https://router.home.arpa/',
    'https://a..example/',
    'https://a.local../',
  ])('refuse %s', (url) => expect(() => checkUrl(url)).toThrow(/public host name|no valid URL/));

  it.each(['https://a.example/', 'https://a.example./', 'https://xn--bcher-kva.example/', 'https://1.de/'])(
    'take %s',
    (url) => expect(checkUrl(url).protocol).toBe('https:'),
  );
});

const parse = (text: string, type = 'multipart/form-data; boundary=b') =>
  parseMultipart(new TextEncoder().encode(text), type, 10).map(({ name, filename, bytes }) => [
    name,
    filename,
    new TextDecoder().decode(bytes),
  ]);

const serve = (answers: Record<string, () => Response>) => {
  const fetched: string[] = [];
  const fetcher = async (url: string, init?: RequestInit) => {
    fetched.push(url);
    expect(init).toMatchObject({ redirect: 'manual' });
    return answers[url]();
  };
  return { fetched, fetcher };
};

const redirect = (location: string) => () => new Response(null, { status: 302, headers: { location } });

const down = () => Promise.reject(new TypeError('connection refused'));
