import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { WebSocket } from 'ws';

import type { Clock } from '../../shared/clock/clock.js';
import { ChannelSocket } from './channel-socket.js';
import { SpdySession, type SpdyStream } from './spdy-session.js';

export const portForwardProtocol = 'portforward.k8s.io';

/** Each forwarded connection has two streams; browsers open many. */
const MAX_STREAMS = 512;
/** Time for the second stream of a pair. */
const PAIR_TIMEOUT_MS = 30_000;
const MAX_PORTS = 64;

/** Opens a connection to a port of the pod, or rejects with the words for the client. */
export type PortDialler = (port: number) => Promise<Duplex>;

interface Pair {
  readonly port: number;
  data?: SpdyStream;
  error?: SpdyStream;
  readonly cancel: () => void;
}

/** Serves port-forward over SPDY: for each connection the client opens an error and a data stream with one requestID. */
export function servePortForwardSpdy(socket: Duplex, dial: PortDialler, clock: Clock): Promise<void> {
  const pairs = new Map<string, Pair>();
  const onStream = (stream: SpdyStream): void => {
    const { port, type, requestId } = parseHeaders(stream);
    let pair = pairs.get(requestId);
    if (!pair) {
      const cancel = clock.schedule(PAIR_TIMEOUT_MS, () => {
        const late = pairs.get(requestId);
        pairs.delete(requestId);
        late?.error?.end(`timeout waiting for streams`);
        late?.data?.destroy();
      });
      pair = { port, cancel };
      pairs.set(requestId, pair);
    }
    if (pair[type]) throw new Error(`a second ${type} stream for request ${requestId}`);
    pair[type] = stream;
    if (!pair.data || !pair.error) return;
    pair.cancel();
    pairs.delete(requestId);
    void forward(pair.data, pair.error, port, dial);
  };
  const session = new SpdySession(socket, { maxStreams: MAX_STREAMS, onStream });
  return session.serve().finally(() => {
    for (const pair of pairs.values()) pair.cancel();
  });
}

function parseHeaders({ headers, id }: SpdyStream): { port: number; type: 'data' | 'error'; requestId: string } {
  const port = Number(headers.get('port'));
  const type = headers.get('streamtype');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`port "${headers.get('port')}" is invalid`);
  if (type !== 'data' && type !== 'error') throw new Error(`invalid stream type "${type}"`);
  // Very old clients have no request ids: the error stream comes first, the data stream next.
  const requestId = headers.get('requestid') ?? String(type === 'error' ? id : id - 2);
  return { port, type, requestId };
}

async function forward(data: SpdyStream, error: SpdyStream, port: number, dial: PortDialler): Promise<void> {
  error.resume();
  try {
    const connection = await dial(port);
    await pump(data, connection);
    error.end();
  } catch (failure) {
    error.end(`error forwarding port ${port}: ${failure instanceof Error ? failure.message : String(failure)}`);
    data.destroy();
  }
}

/** Carries bytes both ways, with half-close, until both directions are over; a failure of one side ends the other. */
async function pump(client: Duplex, connection: Duplex): Promise<void> {
  await Promise.allSettled([pipeline(client, connection), pipeline(connection, client)]);
  connection.destroy();
}

/**
 * Port-forward over plain WebSocket channels, as client libraries without SPDY use it: for the n-th port, channel 2n
 * carries data and 2n+1 errors; each begins with the port, two bytes little-endian.
 */
export async function servePortForwardChannels(
  socket: WebSocket,
  ports: readonly number[],
  dial: PortDialler,
  isBase64: boolean,
): Promise<void> {
  const connection = new ChannelSocket(socket, { isBase64, hasCloseSignal: false });
  const inputs = ports.map((_, index) => connection.input(2 * index));
  await Promise.all(
    ports.map(async (port, index) => {
      const [data, error] = [2 * index, 2 * index + 1];
      const name = Buffer.from([port & 0xff, port >> 8]);
      connection.send(data, name);
      connection.send(error, name);
      try {
        const target = await dial(port);
        connection.gone.addEventListener('abort', () => target.destroy(), { once: true });
        inputs[index]?.pipe(target);
        for await (const chunk of target) {
          await new Promise<void>((resolve) => connection.send(data, chunk as Buffer, () => resolve()));
        }
      } catch (failure) {
        connection.send(error, Buffer.from(`error forwarding port ${port}: ${String((failure as Error).message)}`));
      }
    }),
  );
  connection.close();
}

/** The ports of a WebSocket request's query: `port` as the API server asks, `ports` as a client of the API does. Throws on anything else than a few ports. */
export function parsePorts(query: URLSearchParams): number[] {
  const ports = [...query.getAll('port'), ...query.getAll('ports')].flatMap((text) => text.split(',').map(Number));
  if (ports.length === 0) throw new Error('query parameter "ports" is required');
  if (ports.length > MAX_PORTS) throw new Error(`at most ${MAX_PORTS} ports can be forwarded at once`);
  const wrong = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (wrong !== undefined) throw new Error('port must be between 1 and 65535');
  return ports;
}
