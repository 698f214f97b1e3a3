import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { serverWorld } from '../testing/server-world.js';
import { Departures } from './departures.js';

describe('connections of those who have gone', () => {
  it('are closed some at a time, and others have their turn between', async () => {
    let nowMs = 0;
    const departures = new Departures(() => (nowMs += 2));
    const sockets = Array.from({ length: 7 }, () => new PassThrough());
    for (const socket of sockets) departures.add(socket);
    const closed = (): number => sockets.filter(({ destroyed }) => destroyed).length;
    const counts: number[] = [];
    while (closed() < sockets.length && counts.length < 10) {
      await new Promise((resolve) => setImmediate(resolve));
      counts.push(closed());
    }
    assert.deepEqual(counts, [3, 6, 7]);
    const late = new PassThrough();
    departures.add(late);
    await once(late, 'close');
  });
});

describe('a client that has sent all it wants to send', () => {
  const world = serverWorld();

  /** A connection of the administrator, for what no client library would do. */
  const dial = async (): Promise<TLSSocket> => {
    const { port, ca, admin } = world.server;
    const options = { host: '127.0.0.1', port, ca, cert: admin.certificate, key: admin.key, allowHalfOpen: true };
    const socket = connect({ ...options, ALPNProtocols: ['http/1.1'] });
    await once(socket, 'secureConnect');
    return socket;
  };

  it('is let go when it watches, and its watch ends', async () => {
    const watches = async (): Promise<string | undefined> =>
      /^apiserver_longrunning_requests\{verb="WATCH",.*resource="configmaps".*\} (\d+)$/m.exec(
        (await world.admin.send('/metrics')).text,
      )?.[1];
    const socket = await dial();
    socket.write('GET /api/v1/configmaps?watch=1 HTTP/1.1\r\nhost: server\r\n\r\n');
    await once(socket, 'data');
    assert.equal(await watches(), '1');
    socket.resume().end();
    await once(socket, 'close');
    await eventually(async () => assert.equal(await watches(), '0'));
  });

  it('is let go when it is idle', async () => {
    const socket = await dial();
    socket.resume().end();
    await once(socket, 'close');
  });
});
