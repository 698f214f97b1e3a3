import type { Duplex } from 'node:stream';

import type { Clock } from '../../shared/clock/clock.js';
import type { RemoteCommand, RemoteCommandOptions, RemoteCommandStreams } from './remote-command.js';
import { SpdySession, type SpdyStream } from './spdy-session.js';
import { encodeStatus } from './stream-status.js';

/** Versions of the protocol over SPDY, the client's first choice among them wins. */
export const remoteCommandProtocols = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const;

const STREAM_CREATION_TIMEOUT_MS = 30_000;
const MAX_STREAMS = 8;
/** Clients close when they have read the status; one that does not is cut. */
const LEAVE_TIMEOUT_MS = 10_000;

/** Serves exec or attach on an upgraded connection: waits for the streams that the query announced, then runs. */
export async function serveRemoteCommandSpdy(
  socket: Duplex,
  command: RemoteCommand,
  protocol: string,
  clock: Clock,
): Promise<void> {
  const version = Number(/^v(\d)/.exec(protocol)?.[1] ?? 1);
  const expected = expectedStreams(command.options, version);
  const streams = new Map<string, SpdyStream>();
  let onComplete = (): void => undefined;
  const onStream = (stream: SpdyStream): void => {
    const type = stream.headers.get('streamtype') ?? '';
    if (!expected.has(type) || streams.has(type)) throw new Error(`unexpected stream type "${type}"`);
    streams.set(type, stream);
    if (streams.size === expected.size) onComplete();
  };
  const session = new SpdySession(socket, { maxStreams: MAX_STREAMS, onStream });
  const gone = new AbortController();
  const complete = new Promise<boolean>((resolve) => {
    onComplete = () => resolve(true);
    gone.signal.addEventListener('abort', () => resolve(false), { once: true });
  });
  const cancel = clock.schedule(STREAM_CREATION_TIMEOUT_MS, () => socket.destroy());
  const served = session.serve().finally(() => gone.abort());
  const ran = complete.then(async (isComplete) => {
    cancel();
    if (!isComplete) return;
    const status = await command.run({ ...sides(streams), gone: gone.signal });
    finish(session, streams, encodeStatus(status, version >= 4));
    const stopWaiting = clock.schedule(LEAVE_TIMEOUT_MS, () => socket.destroy());
    gone.signal.addEventListener('abort', stopWaiting, { once: true });
  });
  await Promise.all([served, ran]);
}

function expectedStreams({ stdin, stdout, stderr, tty }: RemoteCommandOptions, version: number): Set<string> {
  return new Set([
    'error',
    ...(stdin ? ['stdin'] : []),
    ...(stdout ? ['stdout'] : []),
    ...(stderr ? ['stderr'] : []),
    ...(tty && version >= 3 ? ['resize'] : []),
  ]);
}

function sides(streams: ReadonlyMap<string, SpdyStream>): Omit<RemoteCommandStreams, 'gone'> {
  // What the client sends on streams that only we write is not for anybody.
  for (const name of ['error', 'stdout', 'stderr']) streams.get(name)?.resume();
  return Object.fromEntries([...streams].filter(([name]) => name !== 'error'));
}

function finish(session: SpdySession, streams: ReadonlyMap<string, SpdyStream>, status: Buffer): void {
  for (const name of ['stdout', 'stderr']) streams.get(name)?.end();
  streams.get('error')?.end(status.length > 0 ? status : undefined, () => session.sayGoodbye());
}
