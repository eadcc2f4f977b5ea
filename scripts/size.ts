/** `npm run size`: the bundle's size and the CPU time that starting it takes on local workerd, as wrangler measures them; console and client. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { consoleFiles, firstLoadBytes } from './build-console.ts';
import { clientSize } from './client-size.ts';
import { root } from './stale.ts';

const profile = join(root, 'build/startup.cpuprofile');
const { status, stdout, stderr } = spawnSync('wrangler', ['check', 'startup', '--outfile', profile], {
  cwd: root,
  encoding: 'utf8',
  env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' },
});
// What follows "Samples" explains the profile's format.
const figures = stdout.match(/^│ {1,3}(Bundle|Local startup profile|Profile window|Active|Idle)\b.*$/gm);
if (status !== 0 || figures === null) {
  console.error(`The Worker could not be measured:\n${stdout}${stderr}`);
  process.exit(1);
}
for (const line of figures) console.log(line.replace(/^│ /, ''));
const { bytes, gzipBytes } = await clientSize();
console.log(`Console, all of its files: ${firstLoadBytes(consoleFiles())} bytes compressed`);
console.log(`Client (sdk/): ${bytes} bytes, ${gzipBytes} compressed`);
