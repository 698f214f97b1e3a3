import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import type { WebSocket, WebSocketServer } from 'ws';

import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { ContainerRuntime } from '../runtime/container-runtime.js';
import type { PodLocator } from './pod-locator.js';
import {
  parsePorts,
  portForwardProtocol,
  servePortForwardChannels,
  servePortForwardSpdy,
  type PortDialler,
} from './port-forward.js';
import { attachCommand, execCommand, parseRemoteCommandOptions, type RemoteCommand } from './remote-command.js';
import { remoteCommandProtocols, serveRemoteCommandSpdy } from './remote-command-spdy.js';
import { serveRemoteCommandWebSocket, webSocketProtocols } from './remote-command-websocket.js';

const TUNNEL_PROTOCOL = `SPDY/3.1+${portForwardProtocol}`;
const PORT_CHANNEL_PROTOCOLS = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io', ''];
/** Clients without framing of their own send a whole input in one message. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

export interface UpgradeDependencies {
  readonly runtime: ContainerRuntime;
  readonly locator: PodLocator;
  readonly clock: Clock;
  readonly idleTimeoutMs: number;
}

/** Where an upgrade request leads: found out before the connection changes its protocol, so that errors are plain answers. */
export interface Upgrade {
  /** Takes the connection over and serves it to its end. */
  serve(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/** Serves exec, attach and portForward over SPDY/3.1 and WebSocket. */
export class UpgradeHandler {
  readonly #dependencies: UpgradeDependencies;
  /** The subprotocol that the answer to a request names. */
  readonly #protocols = new WeakMap<IncomingMessage, string>();
  #webSocketServer: Promise<WebSocketServer> | undefined;

  constructor(dependencies: UpgradeDependencies) {
    this.#dependencies = dependencies;
  }

  /** Throws StatusError when the request cannot be served. */
  async prepare(request: IncomingMessage, path: readonly string[], query: URLSearchParams): Promise<Upgrade> {
    const [verb] = path;
    const kind = (request.headers.upgrade ?? '').toLowerCase();
    if (kind !== 'websocket' && kind !== 'spdy/3.1') {
      throw new StatusError(400, 'BadRequest', `unable to upgrade: unsupported protocol "${kind.slice(0, 50)}"`);
    }
    const isWebSocket = kind === 'websocket';
    if (verb === 'portForward') return this.#preparePortForward(request, isWebSocket, path, query);
    if (verb !== 'exec' && verb !== 'attach') throw new StatusError(404, 'NotFound', '404 page not found');
    const command = await this.#command(verb, path, query);
    if (isWebSocket) {
      const protocol = offered(request, 'sec-websocket-protocol', Object.keys(webSocketProtocols));
      return this.#webSocket(protocol, (socket) => serveRemoteCommandWebSocket(socket, command, protocol));
    }
    const protocol = offered(request, 'x-stream-protocol-version', remoteCommandProtocols);
    return spdy(protocol, (socket) => serveRemoteCommandSpdy(socket, command, protocol, this.#dependencies.clock));
  }

  async #command(verb: 'exec' | 'attach', path: readonly string[], query: URLSearchParams): Promise<RemoteCommand> {
    const { locator, runtime } = this.#dependencies;
    const { namespace, podName, uid, container: name } = parsePath(path, true);
    const options = parseRemoteCommandOptions(query);
    const pod = locator.pod(namespace, podName, uid);
    const { id } = await locator.running(pod, name);
    if (verb === 'exec') {
      const command = query.getAll('command');
      if (command.length === 0) throw new StatusError(400, 'BadRequest', 'you must specify a command');
      return execCommand(runtime, id, command, options);
    }
    const { containers, initContainers = [] } = pod.spec;
    const spec = [...containers, ...initContainers].find((container) => container.name === name);
    return attachCommand(runtime, id, options, spec?.tty ?? options.tty);
  }

  async #preparePortForward(
    request: IncomingMessage,
    isWebSocket: boolean,
    path: readonly string[],
    query: URLSearchParams,
  ): Promise<Upgrade> {
    const { locator, runtime, clock } = this.#dependencies;
    const { namespace, podName, uid } = parsePath(path, false);
    const sandboxId = await locator.sandboxId(locator.pod(namespace, podName, uid));
    const dial: PortDialler = (port) => runtime.portForward(sandboxId, port);
    if (!isWebSocket) {
      const protocol = offered(request, 'x-stream-protocol-version', [portForwardProtocol]);
      return spdy(protocol, (socket) => servePortForwardSpdy(socket, dial, clock));
    }
    const protocol = offered(request, 'sec-websocket-protocol', [TUNNEL_PROTOCOL, ...PORT_CHANNEL_PROTOCOLS]);
    if (protocol === TUNNEL_PROTOCOL) {
      return this.#webSocket(protocol, async (socket) => {
        const { createWebSocketStream } = await import('ws');
        await servePortForwardSpdy(createWebSocketStream(socket), dial, clock);
      });
    }
    const ports = parsePorts(query);
    const isBase64 = protocol.includes('base64');
    return this.#webSocket(protocol, (socket) => servePortForwardChannels(socket, ports, dial, isBase64));
  }

  #webSocket(protocol: string, serve: (socket: WebSocket) => Promise<void>): Upgrade {
    return {
      serve: async (request, socket, head) => {
        const server = await (this.#webSocketServer ??= createWebSocketServer(this.#protocols));
        // The choice is made, and ws would refuse the slash in the name of the tunnel.
        delete request.headers['sec-websocket-protocol'];
        if (protocol !== '') this.#protocols.set(request, protocol);
        const opened = new Promise<WebSocket | undefined>((resolve) => {
          socket.once('close', () => resolve(undefined));
          server.handleUpgrade(request, socket, head, resolve);
        });
        const webSocket = await opened;
        if (!webSocket) return;
        // ws has switched the connection's idle timeout off.
        request.socket.setTimeout(this.#dependencies.idleTimeoutMs);
        await serve(webSocket);
      },
    };
  }
}

async function createWebSocketServer(protocols: WeakMap<IncomingMessage, string>): Promise<WebSocketServer> {
  const { WebSocketServer: Server } = await import('ws');
  const server = new Server({ noServer: true, clientTracking: false, maxPayload: MAX_MESSAGE_BYTES });
  server.on('headers', (headers, request) => {
    const protocol = protocols.get(request);
    if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  return server;
}

function spdy(protocol: string, serve: (socket: Duplex) => Promise<void>): Upgrade {
  return {
    serve: async (_request, socket, head) => {
      const headers = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: SPDY/3.1', 'Connection: Upgrade'];
      if (protocol !== '') headers.push(`X-Stream-Protocol-Version: ${protocol}`);
      socket.write(`${headers.join('\r\n')}\r\n\r\n`);
      if (head.length > 0) socket.unshift(head);
      await serve(socket);
    },
  };
}

/** The first of the client's protocols that is known here; '' when it names none. */
function offered(request: IncomingMessage, header: string, known: readonly string[]): string {
  const value = request.headers[header];
  const wanted = (Array.isArray(value) ? value.join(',') : (value ?? '')).split(',').map((name) => name.trim());
  const named = wanted.filter((name) => name !== '').slice(0, 32);
  if (named.length === 0) return '';
  const chosen = named.find((name) => known.includes(name));
  if (chosen !== undefined) return chosen;
  const words = `client supports [${named.join(' ').slice(0, 200)}], server accepts [${known.filter(Boolean).join(' ')}]`;
  throw new StatusError(403, 'Forbidden', `unable to upgrade: unable to negotiate protocol: ${words}`);
}

/** /exec/NAMESPACE/POD/CONTAINER or /exec/NAMESPACE/POD/UID/CONTAINER; portForward has no container. */
function parsePath(
  path: readonly string[],
  hasContainer: boolean,
): { namespace: string; podName: string; uid?: string; container: string } {
  const [, namespace = '', podName = '', ...rest] = path;
  const container = hasContainer ? (rest.pop() ?? '') : '';
  const [uid, ...extra] = rest;
  if (!namespace || !podName || (hasContainer && !container) || extra.length > 0) {
    throw new StatusError(404, 'NotFound', '404 page not found');
  }
  return { namespace, podName, container, ...(uid === undefined ? {} : { uid }) };
}
