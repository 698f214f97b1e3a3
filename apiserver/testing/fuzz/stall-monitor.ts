// Preloaded into a server: says on stderr when its event loop computes for long without a break. CPU time of this thread
// is what counts, since others use the processors too.
import { readFileSync } from 'node:fs';

const intervalMs = 10;
/** Below this nothing is said. */
const noteworthyMs = 100;

const cpuMs = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;

let isServing = false;
let last = cpuMs();
setInterval(() => {
  const now = cpuMs();
  const stallMs = now - last;
  last = now;
  // The first is the start of the program itself.
  if (isServing && stallMs >= noteworthyMs)
    process.stderr.write(`${JSON.stringify({ stallMs: Math.round(stallMs) })}\n`);
  isServing ||= process.uptime() > 3;
}, intervalMs).unref();
