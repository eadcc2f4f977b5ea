/**
 * Fetches files out of a published npm package without installing it. npm itself downloads the tarball, so that the
 * user's registry, proxy, certificates and credentials hold and the integrity is checked.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { extract } from 'tar';

const DOWNLOAD_TIMEOUT_MS = 180_000;

/**
 * Unpacks the wanted files of the first version that can be had.
 * @param versions tried in order.
 * @param wanted decides by path, for example 'weights/model.gguf'.
 * @param into an existing folder on the disk that the files shall end up on.
 * @returns the folder of the unpacked files; the caller removes it.
 * @throws Error naming each version's failure when none can be had.
 */
export async function fetchPackageFiles(
  name: string,
  versions: readonly string[],
  wanted: (path: string) => boolean,
  into: string,
): Promise<string> {
  const failures: string[] = [];
  for (const version of versions) {
    const folder = await mkdtemp(join(into, 'unpacked-'));
    try {
      const tarball = await pack(`${name}@${version}`, folder);
      // Entries begin with 'package/'. Links are left out: what is unpacked must lie inside the folder.
      await extract({
        file: tarball,
        cwd: folder,
        strip: 1,
        filter: (path, entry) =>
          wanted(path.replace(/^[^/]*\//, '')) && !('type' in entry && entry.type.endsWith('Link')),
      });
      await rm(tarball);
      return folder;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      const { code, text } = describeFailure(error);
      failures.push(`  ${version}: ${text}`);
      // Where the registry can't be reached, asking it for other versions is of no use.
      if (UNREACHABLE.has(code)) break;
    }
  }
  throw new Error(
    `The package ${name} could not be fetched from the npm registry. Check the network and npm's registry and proxy ` +
      `settings (npm config list), then run the command again.\n${failures.join('\n')}`,
  );
}

/** npm's codes for a registry that does not answer, as opposed to one that lacks or withholds a version. */
const UNREACHABLE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'ENOTCACHED']); // prettier-ignore

/** What went wrong in one line: npm's own summary when it is npm that failed. */
function describeFailure(error: unknown): { code: string; text: string } {
  if (!(error instanceof Error)) return { code: '', text: String(error) };
  const output = 'stdout' in error && typeof error.stdout === 'string' ? error.stdout : '';
  const [, code = ''] = /"code": *"(\w+)"/.exec(output) ?? [];
  const [, summary] = /"summary": *("(?:[^"\\]|\\.)*")/.exec(output) ?? [];
  const text = summary === undefined ? error.message : String(JSON.parse(summary));
  return { code, text: `${code} ${text.trim().split('\n')[0]}`.trim() };
}

/** `npm pack` of a published package: downloads its tarball and runs none of its scripts. */
async function pack(spec: string, folder: string): Promise<string> {
  const home = join(folder, '..');
  await mkdir(home, { recursive: true });
  const args = ['pack', spec, '--pack-destination', folder, '--ignore-scripts', '--json', '--dry-run=false'];
  const [command, ...leading] = npmCommand();
  await promisify(execFile)(command, [...leading, ...args], {
    cwd: home,
    timeout: DOWNLOAD_TIMEOUT_MS,
    shell: process.platform === 'win32' && leading.length === 0,
  });
  const tarball = (await readdir(folder)).find((file) => file.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack ${spec} left no tarball.`);
  return join(folder, tarball);
}

/** The npm that runs us, so that its settings hold; else the one on the path. */
function npmCommand(): string[] {
  const cli = process.env['npm_execpath'];
  if (cli !== undefined && basename(cli) === 'npm-cli.js') return [process.execPath, cli];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}
