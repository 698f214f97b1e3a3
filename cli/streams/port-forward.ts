import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import type { CommandContext } from '../context.js';
import { messageBytes, openWebSocket } from './web-socket.js';

export interface Forwarding {
  readonly pod: Pod;
  readonly ports: readonly { readonly local: number; readonly remote: number }[];
  readonly addresses: readonly string[];
}

/** Listens, and carries each connection through a WebSocket of its own, until the command is interrupted. */
export async function forwardPorts(context: CommandContext, forwarding: Forwarding): Promise<void> {
  const { pod } = forwarding;
  const mapper = await context.mapper();
  const path = resourcePath(mapper.resolve('pods'), pod.metadata.namespace, pod.metadata.name, 'portforward');
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  try {
    for (const { local, remote } of forwarding.ports) {
      servers.push(
        ...(await listenAll(context, forwarding.addresses, { local, remote }, (socket) => {
          sockets.add(socket);
          socket.once('close', () => sockets.delete(socket));
          void carry(context, socket, path, remote);
        })),
      );
    }
    if (!context.signal.aborted) await once(context.signal, 'abort');
  } finally {
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroy();
  }
}

/** `localhost` stands for both loopback addresses; one of them is enough. */
async function listenAll(
  context: CommandContext,
  addresses: readonly string[],
  { local, remote }: { local: number; remote: number },
  onConnection: (socket: Socket) => void,
): Promise<Server[]> {
  const servers: Server[] = [];
  const failures: unknown[] = [];
  let port = local;
  for (const address of addresses.flatMap((each) => (each === 'localhost' ? ['127.0.0.1', '::1'] : [each]))) {
    try {
      const server = createServer(onConnection);
      server.listen(port, address);
      await once(server, 'listening');
      servers.push(server);
      port = (server.address() as AddressInfo).port;
      context.print(`Forwarding from ${address.includes(':') ? `[${address}]` : address}:${port} -> ${remote}`);
    } catch (error) {
      failures.push(error);
    }
  }
  if (servers.length > 0) return servers;
  for (const failure of failures) {
    context.tell(`Unable to listen on port ${local}: ${failure instanceof Error ? failure.message : String(failure)}`);
  }
  throw new Failure(`unable to listen on any of the requested ports: [{${local} ${remote}}]`);
}

/** Channel 0 carries data and channel 1 the failure; each starts with two bytes, the port. */
async function carry(context: CommandContext, local: Socket, path: string, remote: number): Promise<void> {
  local.on('error', () => local.destroy());
  local.pause();
  context.print(`Handling connection for ${local.localPort ?? 0}`);
  try {
    const client = await context.client();
    const socket = await openWebSocket(client, `${path}?ports=${remote}`, ['v4.channel.k8s.io']);
    const hasGreeted = [false, false];
    socket.on('message', (data) => {
      const bytes = messageBytes(data);
      const number = bytes[0] ?? 0;
      const rest = bytes.subarray(hasGreeted[number] ? 1 : 3);
      hasGreeted[number] = true;
      if (rest.length === 0) return;
      if (number === 1)
        return context.tell(
          `error: an error occurred forwarding ${local.localPort ?? 0} -> ${remote}: ${rest.toString('utf8')}`,
        );
      if (local.write(rest)) return;
      socket.pause();
      local.once('drain', () => socket.resume());
    });
    local.on('data', (chunk: Buffer) => {
      local.pause();
      socket.send(Buffer.concat([Buffer.from([0]), chunk]), () => local.resume());
    });
    local.once('close', () => socket.close());
    socket.once('close', () => local.end());
    socket.on('error', () => local.destroy());
    local.resume();
  } catch (error) {
    context.tell(
      `error: forwarding ${local.localPort ?? 0} -> ${remote}: ${error instanceof Error ? error.message : String(error)}`,
    );
    local.destroy();
  }
}
