import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configmaps, secrets } from '../api/generated/resources.js';
import { startScriptedServer } from '../client/testing/scripted-server.js';
import { eventually } from '../clock/eventually.js';
import { FakeClock } from '../clock/fake-clock.js';
import { InformerFactory } from './informer-factory.js';

test('an informer that is dropped ends its watch; the others go on; asked for again it begins anew', async (t) => {
  const clock = new FakeClock();
  const closed: string[] = [];
  const server = await startScriptedServer((request) => {
    if (!request.url.searchParams.has('watch')) {
      request.json(200, { metadata: { resourceVersion: '1' }, items: [] });
      return;
    }
    request.response.writeHead(200);
    request.response.flushHeaders();
    request.response.once('close', () => closed.push(request.url.pathname));
  });
  const factory = new InformerFactory(server.client({ clock }), { clock, random: () => 0.5 });
  const stop = new AbortController();
  const first = factory.informer(configmaps);
  factory.informer(secrets);
  const running = factory.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
    await server.close();
  });
  const watches = (): string[] =>
    server.requests.filter(({ url }) => url.searchParams.has('watch')).map(({ url }) => url.pathname);
  await factory.waitForSync(stop.signal);
  await eventually(() => assert.equal(watches().length, 2));
  factory.drop(configmaps);
  await eventually(() => assert.deepEqual(closed, ['/api/v1/configmaps']));
  assert.equal(factory.find(configmaps), undefined);
  assert.notEqual(factory.informer(configmaps), first);
  await eventually(() =>
    assert.deepEqual(watches().sort(), ['/api/v1/configmaps', '/api/v1/configmaps', '/api/v1/secrets']),
  );
});
