import { connect } from 'node:net';
import type { ProbeResult } from './probe.js';

/** Succeeds when a connection is accepted. */
export function tcpProbe(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (outcome: ProbeResult['outcome'], output: string): void => {
      socket.destroy();
      resolve({ outcome, output });
    };
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const onAbort = (): void => finish('failure', 'aborted');
    socket.setTimeout(timeoutMs, () => finish('failure', `dial tcp ${address}: i/o timeout`));
    socket.on('connect', () => finish('success', ''));
    socket.on('error', (error: NodeJS.ErrnoException) => finish('failure', dialError(address, error)));
    socket.on('close', () => signal.removeEventListener('abort', onAbort));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** As Go words it, for those who search for it. */
export function dialError(address: string, error: NodeJS.ErrnoException): string {
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
    ECONNRESET: 'read: connection reset by peer',
  };
  return `dial tcp ${address}: ${words[error.code ?? ''] ?? error.message}`;
}
