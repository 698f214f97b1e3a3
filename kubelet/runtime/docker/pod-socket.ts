import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';

import type { Clock } from '../../../shared/clock/clock.js';
import { RuntimeError } from '../container-runtime.js';

const CONNECT_TIMEOUT_MS = 10_000;

/** Where a pod's listeners can be reached. */
export interface PodPlace {
  /** Undefined with the host's network. */
  readonly ip: string | undefined;
  /** Process id of the sandbox on this host. */
  readonly pid: number;
}

/**
 * Connects to a port of a pod: over its address, or, where only its loopback listens, from inside its network namespace.
 * Throws RuntimeError with the words of the original.
 */
export async function connectToPod(place: PodPlace, port: number, clock: Clock): Promise<Socket> {
  try {
    return await dial(place.ip ?? '127.0.0.1', port, clock);
  } catch (error) {
    if (place.ip === undefined) throw refused(port, error);
  }
  try {
    return await dialInside(place.pid, port, clock);
  } catch (error) {
    throw refused(port, error);
  }
}

function refused(port: number, error: unknown): RuntimeError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'ECONNREFUSED' || /ECONNREFUSED/.test(message) ? 'connection refused' : message;
  return new RuntimeError(
    'Failed',
    `failed to connect to localhost:${port} inside the pod: dial tcp4 127.0.0.1:${port}: connect: ${why}`,
  );
}

function dial(host: string, port: number, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const cancel = clock.schedule(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('i/o timeout')));
    socket.once('connect', () => (cancel(), socket.off('error', reject), resolve(socket)));
    socket.once('error', (error) => (cancel(), reject(error)));
  });
}

/**
 * A process inside the namespace connects, over IPv4 or IPv6, and hands its socket over; a socket stays in the namespace
 * where it was made. It is paused before it connects, so that a greeting is not read in the wrong process.
 */
const DIALLER = `
const net = require('node:net');
const port = Number(process.argv[1]);
const attempt = (hosts, last) => {
  const [host, ...rest] = hosts;
  if (!host) return process.send({ error: last }, () => process.disconnect());
  const socket = new net.Socket({ allowHalfOpen: true });
  socket.pause();
  socket.once('error', (error) => attempt(rest, last ?? error.code));
  socket.connect(port, host, () => process.send({}, socket, () => process.disconnect()));
};
attempt(['127.0.0.1', '::1']);
`;

function dialInside(pid: number, port: number, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const args = [`--net=/proc/${pid}/ns/net`, process.execPath, '-e', DIALLER, String(port)];
    const child = spawn('nsenter', args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { PATH: process.env['PATH'] },
    });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(0, 500)));
    const cancel = clock.schedule(CONNECT_TIMEOUT_MS, () => (child.kill('SIGKILL'), reject(new Error('i/o timeout'))));
    const fail = (why: string): void => (cancel(), reject(new Error(why)));
    child.once('error', (error) => fail(`nsenter: ${error.message}`));
    child.once('close', (code) => fail(`nsenter ended with ${code}: ${complaint.trim()}`));
    child.once('message', (message, handle) => {
      if (!handle) return fail((message as { error?: string }).error ?? 'no connection');
      cancel();
      const socket = handle as Socket;
      socket.allowHalfOpen = true;
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
