/** Builds the console into build/console, which the Worker serves as static assets. */
import { join } from 'node:path';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  // Absolute paths would break a console that is served below a path; relative ones work everywhere.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, '../build/console'),
    emptyOutDir: true,
    target: 'es2023',
    // The content-security policy allows no inline code, styles or data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
