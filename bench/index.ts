/** `npm run bench`: Headwater against its peers, in one run on one machine. */
import { command, UsageError } from '../scripts/command.ts';
import { goalTable } from './goals.ts';
import { type Goal, type Context, type Result } from './section.ts';
import { describeMachine } from './machine.ts';
import { mobileNet } from './networks.ts';
import { machineText, resultText } from './report.ts';
import { installPeers } from './setup.ts';

const usage = `Usage: npm run bench -- [--json] [--quick] [--only name,…] [--list]

  --json   one JSON object on stdout in the place of tables
  --quick  few rounds: shows that everything runs, gives no numbers to quote
  --only   only these parts, by name
  --list   names the parts`;

const options = {
  json: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  only: { type: 'string' },
} as const;

function log(line: string): void {
  console.error(line);
}

await command(usage, options, async ({ json, quick, list, only }) => {
  installPeers(log);
  // Only now: they import the peers.
  const { sections } = await import('./sections/index.ts');
  if (list) {
    for (const { name, title } of sections) console.log(`${name.padEnd(18)}${title}`);
    return;
  }
  const names = only?.split(',') ?? sections.map((section) => section.name);
  const unknown = names.find((name) => !sections.some((section) => section.name === name));
  if (unknown !== undefined) throw new UsageError(`There is no part named '${unknown}'; --list names them.`);

  const machine = describeMachine();
  if (!json) console.log(machineText(machine));
  const context = await createContext(quick);
  const results: Record<string, Result['data']> = {};
  const goals: Goal[] = [];
  for (const section of sections.filter(({ name }) => names.includes(name))) {
    log(`${section.title} …`);
    const result = await section.run(context);
    results[section.name] = result.data;
    goals.push(...(result.goals ?? []));
    if (!json) console.log(resultText(section.title, result));
  }
  if (json) console.log(JSON.stringify({ machine, quick, results, goals }, mapsAsObjects));
  else if (goals.length > 0) {
    const notes = quick ? ['Few rounds were run: nothing to quote.'] : [];
    console.log(resultText('Goals', { tables: [goalTable(goals)], notes, data: {} }));
  }
});

async function createContext(quick: boolean): Promise<Context> {
  const { benchPictures, createDecoder } = await import('./pictures.ts');
  const network = mobileNet();
  const pictures = await benchPictures();
  const { pixels } = await createDecoder().decode(pictures[0].bytes, network.input);
  return { ...network, quick, log, pixels, pictures };
}

function mapsAsObjects(_: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
