/** Runs the snippets of a page as a reader would: in one shell, in the order of the page. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../scripts/run.ts';
import { root } from '../../../scripts/build/stale.ts';
import { isRun, nameOf, snippetsOf, type Snippet } from './snippets.ts';

/** Where pages say that the Worker is. */
const PAGES_URL = 'http://127.0.0.1:8787';
/** Parts of a checkout that pages name. */
const PARTS = ['examples', 'backbones', 'build', 'src'];
const EXTENSIONS: Readonly<Record<string, string>> = { js: 'mjs', ts: 'mts', py: 'py' };

export interface Place {
  /** Of the Worker. */
  readonly url: string;
  /** Of a tenant that has the heads of the pages. */
  readonly key: string;
  /** An empty folder below the repository, so that npm finds its scripts and Node its packages. */
  readonly folder: string;
  /** Folder of the trainer's cache. */
  readonly cache: string;
}

export interface PageRun {
  /** What was run last, and what went wrong there; undefined where all is well. */
  readonly failure: string | undefined;
  /** Standard output of each snippet that was begun. */
  readonly outputs: ReadonlyMap<Snippet, string>;
}

export async function runPage(page: string, place: Place): Promise<PageRun> {
  const snippets = snippetsOf(page).filter(isRun);
  furnish(place);
  const script = join(place.folder, 'page.sh');
  writeFileSync(script, [PROLOGUE, ...snippets.map((snippet, i) => step(snippet, i, place))].join('\n'));
  const env = {
    URL: place.url,
    KEY: place.key,
    HEADWATER_URL: place.url,
    HEADWATER_KEY: place.key,
    HEADWATER_CACHE: place.cache,
    NO_COLOR: '1',
    CLI: join(root, 'trainer/cli.ts'),
    INIT_CWD: place.folder,
  };
  const { code, stdout, stderr } = await run('bash', [script], { cwd: place.folder, env });
  const outputs = new Map<Snippet, string>();
  for (const [, index, output] of stdout.matchAll(/^§(\d+)\n([\s\S]*?)(?=^§|(?![\s\S]))/gm))
    outputs.set(snippets[Number(index)], output);
  if (code === 0) return { failure: undefined, outputs };
  const [last, output] = [...outputs].at(-1) ?? [];
  const name = last === undefined ? page : nameOf(last);
  return { failure: `${name}\n${output}\n${stderr}`, outputs };
}

/** A checkout, a photo, and what `npm start` has left. */
function furnish({ folder, key }: Place): void {
  for (const part of PARTS) symlinkSync(join(root, part), join(folder, part));
  writeFileSync(
    join(folder, 'photo.jpg'),
    readFileSync(join(root, 'examples/trashnet/test/glass/glass11.jpg')),
  );
  mkdirSync(join(folder, '.headwater/demo'), { recursive: true });
  writeFileSync(join(folder, '.headwater/demo/secrets.json'), JSON.stringify({ key }));
}

/**
 * Variables that a page does not set are errors, and so are answers of 400 and above, wherever in a pipeline curl stands.
 * The command line is run without npm and the check of what is built, which take longer than most of its verbs. A machine with
 * other work takes longer for what a page waits for.
 */
const PROLOGUE = `
set -eua
curl() { command curl --fail-with-body "$@" || { echo "curl $*: $?" >> refused; return 22; }; }
npm() {
  test "$1 $2 $3 $4" = 'run -s headwater --' || return 1
  node --disable-warning=ExperimentalWarning "$CLI" "\${@:5}"
}
sleep() { command sleep "$(($1 * 5))"; }
`;

function step(snippet: Snippet, index: number, place: Place): string {
  const code = snippet.language === 'sh' ? shell(snippet, place) : program(snippet, index, place);
  const checked = snippet.words.includes('fails')
    ? `if (${code}\ntest ! -e refused) then echo 'It did not fail.' >&2; exit 1; fi; rm -f refused`
    : `${code}\nif test -e refused; then cat refused >&2; exit 1; fi`;
  return `printf '\\n§${index}\\n'\n${checked}`;
}

const shell = ({ code }: Snippet, { url }: Place): string => code.replaceAll(PAGES_URL, url);

function program({ language, code }: Snippet, index: number, { folder }: Place): string {
  const file = join(folder, `snippet-${index}.${EXTENSIONS[language]}`);
  writeFileSync(file, language === 'js' ? JS_PROLOGUE + code : code);
  return `${language === 'py' ? 'python3' : 'node'} '${file}'`;
}

/** What the pages say that is given. */
const JS_PROLOGUE = `import { readFileSync } from 'node:fs';
const { URL, KEY } = process.env;
const photo = new Uint8Array(readFileSync('photo.jpg'));
`;
