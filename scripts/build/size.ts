/** `npm run size`: the bundle's size and the CPU time that starting it takes on local workerd, as wrangler measures them; console and client. */
import { consoleFiles, firstLoadBytes } from './console.ts';
import { clientSize } from './client-size.ts';
import { measureStartup } from './startup.ts';

try {
  for (const line of (await measureStartup()).lines) console.log(line);
  const { bytes, gzipBytes } = await clientSize();
  console.log(`Console, all of its files: ${firstLoadBytes(consoleFiles())} bytes compressed`);
  console.log(`Client (sdk/): ${bytes} bytes, ${gzipBytes} compressed`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
