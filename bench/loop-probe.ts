// Loaded into a measured program by --import: tells over the channel to its parent how long its event loop was held up at most.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 2;
const delays = monitorEventLoopDelay({ resolution: resolutionMs });
delays.enable();

process.on('message', (message) => {
  if (message !== 'longest stall') return;
  process.send?.({ longestStallMs: Math.max(0, delays.max / 1e6 - resolutionMs) });
  delays.reset();
});
// The program ends when its own work does.
process.channel?.unref();
