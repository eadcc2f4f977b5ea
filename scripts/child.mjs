/**
 * Runs other programs so that signals reach them: a signal that should end `npm run dev` goes to npm or to the bootstrap, and
 * must reach the server. Depends on nothing, like the bootstrap, and runs on the system's Node.
 */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { exitCodeOf, onSignal } from './signals.mjs';

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;
/** @type {NodeJS.Signals | undefined} */
let told;

onSignal((signal) => {
  told = signal;
  running?.kill(signal);
});

/**
 * Runs a program to its end. Signals are passed on to it, and it decides what they mean; once one has come, no other program
 * is begun, and this process ends.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<number>} its exit code; 128 and the signal's number where a signal ended it. Rejects where there is no
 * such program.
 */
export function runChild(command, args, options) {
  if (told !== undefined) process.exit(exitCodeOf(told));
  const child = spawn(command, args, options);
  running = child;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      running = undefined;
      resolve(code ?? exitCodeOf(signal ?? 'SIGKILL'));
    });
  });
}
