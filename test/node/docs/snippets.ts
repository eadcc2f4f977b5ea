/**
 * The code blocks of a page. Words behind the language say how a block is run:
 *   account    not run: it needs an account at Cloudflare or Azure
 *   elsewhere  not run here, for it serves until it is stopped or builds a package; a test of its own runs it
 *   fails      run, and must fail
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/build/stale.ts';

export interface Snippet {
  readonly page: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  readonly words: readonly string[];
  readonly code: string;
}

const BLOCK = /^([ ]*)```([a-z]+)([^\n]*)\n([\s\S]*?)^\1```$/gm;
const PROGRAMS = ['sh', 'js', 'ts', 'py'];
const NOT_RUN = ['account', 'elsewhere'];

export function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(BLOCK)].map(({ index, 1: indent, 2: language, 3: rest, 4: code }) => ({
    page,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    words: rest.split(' ').filter((word) => word !== ''),
    code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

export const isProgram = ({ language }: Snippet): boolean => PROGRAMS.includes(language);

export const isRun = (snippet: Snippet): boolean =>
  isProgram(snippet) && !snippet.words.some((word) => NOT_RUN.includes(word));

/** One line that names it. */
export const nameOf = ({ page, line, words, code }: Snippet): string =>
  [`${page}:${line}`, ...words, code.split('\n')[0].trim()].join('  ');
