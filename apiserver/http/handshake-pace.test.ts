import assert from 'node:assert/strict';
import { Server, Socket } from 'node:net';
import { it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { paceHandshakes } from './handshake-pace.js';

it('connections that come together begin their handshakes a few in each turn of the event loop, in order', async () => {
  const server = new Server();
  const begun: Socket[] = [];
  server.on('connection', (socket) => begun.push(socket));
  paceHandshakes(server);
  const sockets = Array.from({ length: 20 }, () => new Socket());
  for (const socket of sockets) server.emit('connection', socket);
  assert.equal(begun.length, 0);
  const counts: number[] = [];
  for (let i = 0; i < 4; i++) {
    await turn();
    counts.push(begun.length);
  }
  assert.deepEqual(counts, [8, 16, 20, 20]);
  assert.deepEqual(begun, sockets);
  const late = new Socket();
  server.emit('connection', late);
  await turn();
  assert.equal(begun.at(-1), late);
});
