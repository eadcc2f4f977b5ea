/** `npm run dev -- --port N --state DIR`: serves the Worker alone on local stores. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startServedWorker } from './served-worker.ts';

const usage = `Usage: HEADWATER_ADMIN_SECRET=… npm run dev -- [--port N] [--host H] [--state DIR] [--quiet]

  --port N     port to listen on (default 8787; 0 takes any free one)
  --host H     address to listen on (default 127.0.0.1)
  --state DIR  folder of the local stores (default .headwater/dev)
  --quiet      print no line for each request`;

try {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8787' },
      host: { type: 'string', default: '127.0.0.1' },
      state: { type: 'string', default: '.headwater/dev' },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new TypeError(`--port ${values.port} is not a port (0 to 65535)`);
  const adminSecret = process.env['HEADWATER_ADMIN_SECRET'] ?? '';
  if (adminSecret === '')
    console.error('HEADWATER_ADMIN_SECRET is not set: no tenant can be created until it is.');
  await serve(port, values.host, values.state, adminSecret, values.quiet);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof TypeError) console.error(usage);
  process.exit(error instanceof TypeError ? 2 : 1);
}

async function serve(
  port: number,
  host: string,
  state: string,
  adminSecret: string,
  quiet: boolean,
): Promise<void> {
  const base = process.env['INIT_CWD'] ?? process.cwd();
  const worker = await startServedWorker({
    port,
    host,
    state: resolve(base, state),
    adminSecret,
    ...(quiet ? {} : { onLog: (line: string) => console.error(line) }),
  });
  console.log(`Headwater listens on ${worker.url.href}`);
}
