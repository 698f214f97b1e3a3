import type { IncomingMessage } from 'node:http';
import { pipeline, type Duplex, Transform, type TransformCallback } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { badRequest } from '../../shared/errors/bad-request.js';
import { header, type Exchange } from '../http/exchange.js';
import type { ServedResource } from '../registry/resource-registry.js';
import { forbidden } from '../registry/status-errors.js';
import type { Kubelets } from './kubelet-location.js';
import { logSource, openLog } from './log.js';

const base64Protocol = 'base64.binary.k8s.io';
/** In the order of preference; '' is a client that names none. */
const protocols = ['binary.k8s.io', base64Protocol, ''];
/** A client has nothing to say here. */
const maxPayload = 1024;

/** Serves pods/log over WebSocket: each piece of the log is a message, in base64 where the client asked for that. */
export class LogSocket {
  readonly #kubelets: Kubelets;
  #server: Promise<WebSocketServer> | undefined;

  constructor(kubelets: Kubelets) {
    this.#kubelets = kubelets;
  }

  /** Rejects, before the protocol changes, with what a plain request for the log would be refused with. */
  async serve(exchange: Exchange, served: ServedResource, socket: Duplex, head: Buffer): Promise<void> {
    const request = exchange.request as IncomingMessage;
    if (header(request, 'upgrade')?.toLowerCase() !== 'websocket') {
      throw badRequest('log can be upgraded to the WebSocket protocol only');
    }
    const protocol = chooseProtocol(exchange, served);
    const source = logSource(exchange, served);
    const log = source && (await openLog(this.#kubelets, source, socket));
    const server = await (this.#server ??= createServer());
    // ws would choose the first one that the client names, whether it is known here or not.
    if (protocol === '') delete request.headers['sec-websocket-protocol'];
    else request.headers['sec-websocket-protocol'] = protocol;
    server.handleUpgrade(request, socket, head, (client) => {
      void send(client, log, protocol === base64Protocol);
    });
  }
}

async function createServer(): Promise<WebSocketServer> {
  // Takes longer to load than many a server to start.
  const { WebSocketServer: Server } = await import('ws');
  return new Server({ noServer: true, clientTracking: false, maxPayload });
}

function chooseProtocol(exchange: Exchange, served: ServedResource): string {
  const named = header(exchange.request, 'sec-websocket-protocol') ?? '';
  const wanted = named.split(',', 32).map((name) => name.trim());
  const found = wanted.find((name) => protocols.includes(name));
  if (found !== undefined) return found;
  throw forbidden(served.definition.resource, exchange.info.name, `no subprotocol of ${wanted.join(' ')} is known`);
}

async function send(client: WebSocket, log: IncomingMessage | undefined, isBase64: boolean): Promise<void> {
  if (!log) {
    client.close(1000);
    return;
  }
  const { createWebSocketStream } = await import('ws');
  const out = createWebSocketStream(client, isBase64 ? { encoding: 'utf8', decodeStrings: false } : {});
  // The client may close, but what it says is of no interest.
  out.resume();
  const ended = (): void => client.close(1000);
  if (isBase64) pipeline(log, new Base64Messages(), out, ended);
  else pipeline(log, out, ended);
}

/** Each piece by itself, so that each message can be decoded by itself. */
class Base64Messages extends Transform {
  constructor() {
    super({ readableObjectMode: true });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    done(null, chunk.toString('base64'));
  }
}
