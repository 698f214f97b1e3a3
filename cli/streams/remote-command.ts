import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { StatusError, type StatusObject } from '../../shared/errors/status-error.js';
import type { HttpsClient } from '../../shared/client/https-client.js';
import { Failure } from '../cluster/failure.js';
import type { Terminal } from '../context.js';
import { messageBytes, openWebSocket } from './web-socket.js';

/** Said where a terminal is asked for and our input is none. */
export const noTerminal = 'Unable to use a TTY - input is not a terminal or the right kind of file';

/** Channels of the protocol *.channel.k8s.io. */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export interface RemoteCommand {
  readonly client: HttpsClient;
  /** Path and query of exec or attach. */
  readonly path: string;
  readonly withStdin: boolean;
  readonly isTty: boolean;
}

/**
 * Runs a command in a container with this terminal's streams and resolves with its exit code. A terminal in raw mode is put back however
 * it ends.
 */
export async function runRemoteCommand(command: RemoteCommand, terminal: Terminal): Promise<number> {
  const socket = await upgraded(command);
  const onAbort = (): void => socket.terminate();
  terminal.signal.addEventListener('abort', onAbort, { once: true });
  const restore = command.isTty ? rawMode(terminal) : (): void => undefined;
  const stopResizing = command.isTty ? sendSizes(socket, terminal) : (): void => undefined;
  const stopInput = command.withStdin ? sendInput(socket, terminal) : (): void => undefined;
  try {
    return await receive(socket, terminal);
  } finally {
    stopInput();
    stopResizing();
    restore();
    terminal.signal.removeEventListener('abort', onAbort);
    socket.terminate();
  }
}

async function upgraded({ client, path }: RemoteCommand): Promise<WebSocket> {
  try {
    return await openWebSocket(client, path, ['v5.channel.k8s.io', 'v4.channel.k8s.io']);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new Failure(`unable to upgrade connection: ${error.message}`);
  }
}

function rawMode({ stdin }: Terminal): () => void {
  if (!stdin.isTTY || !stdin.setRawMode) return () => undefined;
  stdin.setRawMode(true);
  // Node leaves it to our terminal to put a carriage return before each line feed. The container's terminal has done so where it shall be,
  // and a program that draws on the whole screen means a plain line feed. Without stty all else works.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  return () => void stdin.setRawMode?.(false);
}

function sendSizes(socket: WebSocket, { stdout }: Terminal): () => void {
  const send = (): void => {
    const { columns: Width, rows: Height } = stdout;
    if (Width === undefined || Height === undefined || socket.readyState !== socket.OPEN) return;
    socket.send(frame(channel.resize, Buffer.from(JSON.stringify({ Width, Height }))));
  };
  send();
  stdout.on('resize', send);
  return () => void stdout.off('resize', send);
}

/** Carries input as fast as the connection takes it; its end half-closes the channel. */
function sendInput(socket: WebSocket, { stdin }: Terminal): () => void {
  const onData = (chunk: Buffer | string): void => {
    if (socket.readyState !== socket.OPEN) return;
    stdin.pause();
    socket.send(frame(channel.stdin, Buffer.from(chunk as Buffer)), () => stdin.resume());
  };
  const onEnd = (): void => {
    // Version 4 has no way to say it; there the command goes on until it ends by itself.
    if (socket.protocol === 'v5.channel.k8s.io' && socket.readyState === socket.OPEN) {
      socket.send(Buffer.from([channel.close, channel.stdin]));
    }
  };
  stdin.on('data', onData);
  stdin.once('end', onEnd);
  return () => {
    stdin.off('data', onData);
    stdin.off('end', onEnd);
    stdin.pause();
  };
}

const frame = (number: number, data: Buffer): Buffer => Buffer.concat([Buffer.from([number]), data]);

/** Writes what comes and resolves with the exit code that the Status on the error channel tells. */
async function receive(socket: WebSocket, { stdout, stderr, signal }: Terminal): Promise<number> {
  let status: Partial<StatusObject> | undefined;
  socket.on('message', (data) => {
    const bytes = messageBytes(data);
    const [number, rest] = [bytes[0], bytes.subarray(1)];
    if (number === channel.error && rest.length > 0)
      status = JSON.parse(rest.toString('utf8')) as Partial<StatusObject>;
    const output = number === channel.stdout ? stdout : number === channel.stderr ? stderr : undefined;
    if (!output || rest.length === 0 || output.write(rest)) return;
    socket.pause();
    output.once('drain', () => socket.resume());
  });
  await once(socket, 'close', { signal });
  if (!status) throw new Failure('the connection to the container was lost before the command ended');
  return exitCodeOf(status);
}

/** 0 for success, else the command's exit code; any other Status is thrown. */
function exitCodeOf(status: Partial<StatusObject>): number {
  if (status.status === 'Success') return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  if (status.reason === 'NonZeroExitCode' && cause) return Number(cause.message);
  throw StatusError.fromStatus(status, 500);
}
