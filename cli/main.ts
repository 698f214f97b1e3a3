import { systemClock } from '../shared/clock/clock.js';
import { interrupted, runKnarr } from './program.js';

const ended = new AbortController();
let received: NodeJS.Signals | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    received = signal;
    ended.abort();
  });
}
// A reader such as `head` that has seen enough is a normal end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const { stdin, stdout, stderr, env } = process;
const exitCode = await runKnarr(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  clock: systemClock,
  signal: ended.signal,
});
// A shell must see that the signal was the end: it leaves a loop then.
if (received && exitCode === interrupted) process.kill(process.pid, received);
else if (process.exitCode === undefined) process.exitCode = exitCode;
