import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { connect } from 'node:http2';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import { LevelStorage } from '../storage/level-storage.js';
import { RawClient } from './raw-client.js';
import { startTestServer, type TestServer } from './test-server.js';
import { testFolder } from './test-folder.js';

describe('an API server over LevelDB', () => {
  const cleanups: (() => Promise<void>)[] = [];
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });
  const open = async (directory: string): Promise<TestServer> =>
    startTestServer({ storage: await LevelStorage.open({ directory, clock: systemClock }) });
  const path = '/api/v1/namespaces/default/configmaps';

  it('knows everything after a restart, and watches resume from before it', async () => {
    const directory = testFolder('restart');
    cleanups.push(() => rm(directory, { recursive: true }));
    const first = await open(directory);
    const before = new RawClient(first, first.admin);
    const created = await before.send(path, { body: { metadata: { name: 'a' }, data: { k: '1' } } });
    const { resourceVersion } = (created.json as { metadata: { resourceVersion: string } }).metadata;
    await before.send(path, { body: { metadata: { name: 'b' } } });
    await before.send(`${path}/a`, { method: 'DELETE' });
    const list = await before.send(path);
    before.close();
    await first.close();

    const second = await open(directory);
    cleanups.push(() => second.close());
    const again = new RawClient(second, second.admin);
    cleanups.push(async () => again.close());
    assert.deepEqual((await again.send(path)).json?.['items'], list.json?.['items']);
    const stream = await again.send(`${path}?watch=true&resourceVersion=${resourceVersion}&timeoutSeconds=1`);
    const events = stream.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; object: { metadata: { name: string } } })
      // The second server has another authority, and says so.
      .filter(({ object }) => object.metadata.name !== 'extension-apiserver-authentication');
    assert.deepEqual(
      events.map(({ type, object }) => `${type} ${object.metadata.name}`),
      ['ADDED b', 'DELETED a'],
    );
  });

  it('serves HTTP/2 with the identity of the certificate', async () => {
    const server = await startTestServer();
    cleanups.push(() => server.close());
    const { certificate: cert, key } = server.admin;
    const session = connect(server.url, { ca: server.ca, cert, key });
    const stream = session.request({ ':path': '/api/v1/namespaces?limit=1' });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => stream.once('close', resolve));
    session.close();
    const list = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { kind: string; items: unknown[] };
    assert.equal(list.kind, 'NamespaceList');
    assert.equal(list.items.length, 1);
  });
});
