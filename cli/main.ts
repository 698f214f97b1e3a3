import { systemClock } from '../shared/clock/clock.js';
import { runKnarr } from './program.js';

const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.exitCode = signal === 'SIGINT' ? 130 : 143;
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
if (process.exitCode === undefined) process.exitCode = exitCode;
