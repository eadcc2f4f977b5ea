/** `npm run dev -- --port N --state DIR`: serves the Worker alone on local stores. */
import { userPath } from '../trainer/paths.ts';
import { command, portOf } from './command.ts';
import { startServedWorker } from './served-worker.ts';

const usage = `Usage: HEADWATER_ADMIN_SECRET=… npm run dev -- [--port N] [--host H] [--state DIR] [--quiet]

  --port N     port to listen on (default 8787; 0 takes any free one)
  --host H     address to listen on (default 127.0.0.1)
  --state DIR  folder of the local stores (default .headwater/dev)
  --quiet      print no line for each request`;

const options = {
  port: { type: 'string', default: '8787' },
  host: { type: 'string', default: '127.0.0.1' },
  state: { type: 'string', default: '.headwater/dev' },
  quiet: { type: 'boolean', default: false },
} as const;

await command(usage, options, async ({ port, host, state, quiet }) => {
  const adminSecret = process.env['HEADWATER_ADMIN_SECRET'] ?? '';
  if (adminSecret === '')
    console.error('HEADWATER_ADMIN_SECRET is not set: no tenant can be created until it is.');
  const worker = await startServedWorker({
    port: portOf(port),
    host,
    state: userPath(state),
    adminSecret,
    ...(quiet ? {} : { onLog: (line: string) => console.error(line) }),
  });
  console.log(`Headwater listens on ${worker.url.href}`);
});
