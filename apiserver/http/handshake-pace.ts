import type { Server, Socket } from 'node:net';

/** So many connections begin their handshakes in one turn of the event loop; each takes about half a millisecond. */
const perTurn = 8;

/**
 * Lets new connections into their TLS handshakes a few at a time. Node would answer all that wait before it looks at anything
 * else: with 500 clients that come together nobody would be served meanwhile. The server must be made with `pauseOnConnect`.
 */
export function paceHandshakes(server: Server): void {
  const begin = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const waiting: Socket[] = [];
  const admit = (): void => {
    for (const socket of waiting.splice(0, perTurn)) for (const listener of begin) listener.call(server, socket);
    if (waiting.length > 0) setImmediate(admit);
  };
  server.on('connection', (socket) => {
    if (waiting.push(socket) === 1) setImmediate(admit);
  });
}
