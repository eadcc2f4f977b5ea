/**
 * `npm start`: the whole product on this machine. Starts the Worker on local workerd, makes a demo tenant, trains a head on
 * real photos, pushes it, classifies pictures it has not seen, and keeps serving.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { examplePictures, ownPictures, type DemoSet, type LabelledFile } from './pictures.ts';
import { classify, confusionTable, otherLine, summary, type Answer, type Deployed } from './answers.ts';
import { runChild } from '../child.mjs';
import { demoKey, readSecrets } from './tenant.ts';
import { startServedWorker } from '../served-worker.ts';
import { root } from '../build/stale.ts';

const USAGE = `Usage: npm start -- [--data DIR] [--once] [--port N] [--state DIR]

  --data DIR   your own pictures: one folder a class (default: the photos in examples/trashnet)
  --once       exit after the answers instead of serving on
  --port N     port to listen on (default 8787; 0 takes any free one)
  --state DIR  folder of the local stores (default .headwater/demo)`;

const HEAD = 'demo';

class UsageError extends Error {}

try {
  await main();
} catch (error) {
  console.error(explain(error));
  if (error instanceof UsageError) console.error(`\n${USAGE}`);
  process.exit(error instanceof UsageError ? 2 : 1);
}

async function main(): Promise<void> {
  const options = readOptions();
  const set = options.data === undefined ? examplePictures(root) : ownPictures(options.data);
  mkdirSync(options.state, { recursive: true });
  const secretsFile = join(options.state, 'secrets.json');
  const secrets = readSecrets(secretsFile);
  step('Starting the Worker on local workerd');
  const { adminSecret } = secrets;
  const worker = await startServedWorker({
    port: options.port,
    state: join(options.state, 'stores'),
    adminSecret,
  });
  try {
    const key = await demoKey(worker.url, secretsFile, secrets);
    await trainAndPush(set, options.state, worker.url, key);
    await showAnswers(set, { url: worker.url, head: HEAD, key });
    showNextSteps(set, worker.url, key);
  } catch (error) {
    await worker.close();
    throw error;
  }
  if (options.once) await worker.close();
  else console.log(`\nServing on ${worker.url.href} until Ctrl-C.`);
}

interface Options {
  readonly data?: string;
  readonly once: boolean;
  readonly port: number;
  readonly state: string;
}

function readOptions(): Options {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        data: { type: 'string' },
        once: { type: 'boolean', default: false },
        port: { type: 'string', default: '8787' },
        state: { type: 'string', default: join(root, '.headwater/demo') },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port ${values.port}: not a port (0 to 65535).`);
  const base = process.env['INIT_CWD'] ?? process.cwd();
  return {
    once: values.once,
    port,
    state: resolve(base, values.state),
    ...(values.data === undefined ? {} : { data: resolve(base, values.data) }),
  };
}

/** By way of the command line that users have, on a manifest of the pictures. */
async function trainAndPush(set: DemoSet, state: string, url: URL, key: string): Promise<void> {
  const labels = new Set(set.train.map((file) => file.label));
  step(`Training a head for ${[...labels].join(', ')} from ${set.train.length} photos`);
  const [train, test] = [
    writeManifest(join(state, 'train.jsonl'), set.train),
    writeManifest(join(state, 'test.jsonl'), set.unseen),
  ];
  const file = join(state, 'demo.safetensors');
  await headwater(['train', train, '--test', test, '--out', file, '--strategy', 'linear-all'], {});
  step('Pushing it to the Worker');
  await headwater(['push', file, '--head', HEAD, '--url', url.origin], { HEADWATER_KEY: key });
}

function writeManifest(path: string, files: readonly LabelledFile[]): string {
  writeFileSync(path, files.map((file) => `${JSON.stringify(file)}\n`).join(''));
  return path;
}

async function headwater(args: readonly string[], env: Record<string, string>): Promise<void> {
  const cli = join(root, 'trainer/cli.ts');
  const code = await runChild(process.execPath, ['--disable-warning=ExperimentalWarning', cli, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  if (code !== 0) throw new Error(`headwater ${args[0]} failed: see above.`);
}

async function showAnswers({ unseen, other }: DemoSet, deployed: Deployed): Promise<void> {
  step(`Classifying ${unseen.length} pictures that the head has not seen, over HTTP`);
  const answers: Answer[] = [];
  for (const { path } of unseen) answers.push(await classify(path, deployed));
  console.log(`\n${confusionTable(unseen, answers)}\n\n${summary(unseen, answers)}`);
  if (other !== undefined) console.log(otherLine(other, await classify(other, deployed)));
}

/** The lines work as pasted: paths are quoted, and relative to the user's working directory. */
function showNextSteps(set: DemoSet, url: URL, key: string): void {
  const picture = relative(process.env['INIT_CWD'] ?? process.cwd(), set.unseen[0].path);
  console.log(`
Try it yourself:

  export HEADWATER_KEY=${key}
  curl -H "Authorization: Bearer $HEADWATER_KEY" -H 'content-type: image/jpeg' \\
    --data-binary @${shellWord(picture)} ${url.origin}/v1/heads/${HEAD}/classify
  curl -H "Authorization: Bearer $HEADWATER_KEY" ${url.origin}/v1/heads

Or in a browser, signing in with that key:

  ${url.origin}/`);
}

/** In single quotes where a shell would change it. */
function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function step(text: string): void {
  console.error(`▸ ${text} …`);
}

function explain(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
    return 'The disk is full. Headwater needs about 1.5 GB for its dependencies and a few MB for its stores.';
  }
  return error instanceof Error ? error.message : String(error);
}
