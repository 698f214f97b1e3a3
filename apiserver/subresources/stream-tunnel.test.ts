import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { servingCertificate } from '../../shared/pki/testing/serving-certificate.js';
import { tunnel } from './stream-tunnel.js';

const messages = Array.from({ length: 300 }, (_, number) => `message ${number};`);

interface World {
  /** The client's end after the upgrade, and what came in each TLS record. */
  readonly connect: () => Promise<{ socket: Duplex; records: string[] }>;
}

/** A client, a server that tunnels, and a target that does with the connection what the test says. */
async function world(t: TestContext, serve: (socket: Duplex) => void): Promise<World> {
  const { ca, certificate, key } = await servingCertificate();
  const tls = { cert: certificate, key };
  const sockets = new Set<Duplex>();
  const listen = async (server: Server): Promise<number> => {
    server.on('secureConnection', (socket: Duplex) => sockets.add(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  };
  const target = createServer(tls).on('upgrade', (_request, socket: Duplex) => {
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n');
    serve(socket);
  });
  const options = { host: '127.0.0.1', port: await listen(target), path: '/', ca };
  const front = createServer(tls).on('upgrade', (incoming, socket: Duplex, head: Buffer) => {
    void tunnel(incoming, socket, head, { isTls: true, options });
  });
  const port = await listen(front);
  const connect = async (): Promise<{ socket: Duplex; records: string[] }> => {
    const headers = { connection: 'upgrade', upgrade: 'test' };
    const sent = request({ host: '127.0.0.1', port, ca, headers }).end();
    const [, socket, head] = (await once(sent, 'upgrade')) as [unknown, Duplex, Buffer];
    const records = head.length > 0 ? [head.toString()] : [];
    socket.on('data', (record: Buffer) => records.push(record.toString()));
    return { socket, records };
  };
  return { connect };
}

test('what comes as one TLS record leaves as one', async (t) => {
  const { connect } = await world(t, (socket) => {
    const send = (number: number): void => {
      if (number < messages.length) socket.write(messages[number] ?? '', () => send(number + 1));
      else socket.end();
    };
    send(0);
  });
  const { socket, records } = await connect();
  await once(socket, 'end');
  assert.deepEqual(records, messages);
});
