import { connect, createServer, type Socket } from 'node:net';
import type { Clock } from '../shared/clock/clock.js';

/** Freed by the kernel when its holder ends, however it ends; each network namespace has its own. */
const socketName = '\0knarr-kube-proxy';
const retryMs = 200;

/** Held by the one process that writes. */
export interface WriterLock {
  release(): Promise<void>;
}

/** Resolves when this process is the one that may write the rules of this network namespace; holds it until `release`. */
export async function acquireWriterLock(clock: Clock, signal: AbortSignal, name = socketName): Promise<WriterLock> {
  for (;;) {
    const lock = await tryListen(name);
    if (lock) return lock;
    await holderEnds(name, signal);
    await clock.sleep(retryMs * Math.random(), signal);
  }
}

function tryListen(name: string): Promise<WriterLock | undefined> {
  const waiting = new Set<Socket>();
  return new Promise((resolve, reject) => {
    // Connections of those who wait are kept open: their end tells them that we ended.
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      waiting.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => waiting.delete(socket));
      socket.unref();
    });
    const release = (): Promise<void> =>
      new Promise((released) => {
        server.close(() => released());
        for (const socket of waiting) socket.destroy();
      });
    server.maxConnections = 1000;
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ path: name }, () => {
      server.unref();
      resolve({ release });
    });
  });
}

/** Resolves when the holder's socket closes; rejects when the signal aborts. */
function holderEnds(name: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: name });
    const onAbort = (): void => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    socket.on('error', () => undefined);
    socket.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    socket.resume();
  });
}
