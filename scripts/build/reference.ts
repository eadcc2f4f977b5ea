/** Puts the API reference, Swagger UI and a page that shows it, among the static files that the Worker serves. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from './stale.ts';

/** Their folder and, with .html, their page: what a first visit to the console does not load. */
export const REFERENCE = 'docs';
const LIBRARY_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE'];
const OWN_FILES = ['reference.js', 'reference.css'];

/** @param out the folder of the static files. */
export function buildReference(out: string): void {
  const library = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const own = join(root, 'reference');
  const folder = join(out, REFERENCE);
  mkdirSync(folder, { recursive: true });
  for (const name of LIBRARY_FILES) copyFileSync(join(library, name), join(folder, name));
  for (const name of OWN_FILES) copyFileSync(join(own, name), join(folder, name));
  copyFileSync(join(own, `${REFERENCE}.html`), join(out, `${REFERENCE}.html`));
}
