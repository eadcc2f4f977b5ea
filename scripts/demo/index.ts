/**
 * `npm start`: the whole product on this machine. Starts the Worker on local workerd, makes a demo tenant, trains a head on
 * real photos, pushes it, classifies pictures it has not seen, and keeps serving.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { userPath } from '../../trainer/paths.ts';
import { examplePictures, ownPictures, type DemoSet, type LabelledFile } from './pictures.ts';
import { classify, confusionTable, otherLine, summary, type Answer, type Deployed } from './answers.ts';
import { runChild } from '../child.mjs';
import { command, portOf } from '../command.ts';
import { demoKey, readSecrets } from './tenant.ts';
import { startServedWorker } from '../served-worker.ts';
import { root } from '../build/stale.ts';

const USAGE = `Usage: npm start -- [--data DIR] [--once] [--port N] [--state DIR]

  --data DIR   your own pictures: one folder a class (default: the photos in examples/trashnet)
  --once       exit after the answers instead of serving on
  --port N     port to listen on (default 8787; 0 takes any free one)
  --state DIR  folder of the local stores (default .headwater/demo)`;

const HEAD = 'demo';

const options = {
  data: { type: 'string' },
  once: { type: 'boolean', default: false },
  port: { type: 'string', default: '8787' },
  state: { type: 'string', default: join(root, '.headwater/demo') },
} as const;

await command(USAGE, options, async ({ data, once, port, ...values }) => {
  const set = data === undefined ? examplePictures(root) : ownPictures(userPath(data));
  const state = userPath(values.state);
  mkdirSync(state, { recursive: true });
  const secretsFile = join(state, 'secrets.json');
  const secrets = readSecrets(secretsFile);
  const { adminSecret } = secrets;
  step('Starting the Worker on local workerd');
  const worker = await startServedWorker({ port: portOf(port), state: join(state, 'stores'), adminSecret });
  try {
    const key = await demoKey(worker.url, secretsFile, secrets);
    await trainAndPush(set, state, worker.url, key);
    await showAnswers(set, { url: worker.url, head: HEAD, key });
    showNextSteps(set, worker.url, key);
  } catch (error) {
    await worker.close();
    throw error;
  }
  if (once) await worker.close();
  else console.log(`\nServing on ${worker.url.href} until Ctrl-C.`);
});

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
  const picture = relative(userPath('.'), set.unseen[0].path);
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
