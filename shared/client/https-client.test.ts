import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { configmaps, pods } from '../api/generated/resources.js';
import { FakeClock } from '../clock/fake-clock.js';
import { eventually } from '../clock/eventually.js';
import { isConflict, isExpired, StatusError } from '../errors/status-error.js';
import {
  startScriptedServer,
  type ScriptedRequest,
  type ScriptedServer,
  type ScriptedServerOptions,
} from './testing/scripted-server.js';
import { Connection } from './connection.js';
import { HttpsClient } from './https-client.js';
import type { TokenSource } from './token-source.js';

const serve = async (
  t: TestContext,
  script: (request: ScriptedRequest) => void,
  options?: ScriptedServerOptions,
): Promise<ScriptedServer> => {
  const server = await startScriptedServer(script, options);
  t.after(() => server.close());
  return server;
};

const status = (code: number, reason: string): object => ({
  kind: 'Status',
  status: 'Failure',
  code,
  reason,
  message: reason,
});

test('verbs become the paths, queries and bodies of the API', async (t) => {
  const server = await serve(t, (request) => request.json(200, { metadata: { name: 'x' }, items: [] }));
  const client = server.client();
  await client.get(configmaps, 'a/b', 'ns');
  await client.list(pods, { namespace: 'ns', labelSelector: 'a=b,c', limit: 5, continue: 'tok' });
  await client.create(configmaps, { metadata: { name: 'x', namespace: 'ns' }, data: { a: '1' } }, { dryRun: true });
  await client.patch(configmaps, 'x', 'ns', 'apply', { data: {} }, { fieldManager: 'me', force: true });
  await client.delete(pods, 'x', 'ns', { gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
  const seen = server.requests.map(
    (r) => `${r.method} ${r.url.pathname}${r.url.search} ${r.headers['content-type'] ?? '-'} ${r.body}`,
  );
  assert.deepEqual(seen, [
    'GET /api/v1/namespaces/ns/configmaps/a%2Fb - ',
    'GET /api/v1/namespaces/ns/pods?labelSelector=a%3Db%2Cc&limit=5&continue=tok - ',
    'POST /api/v1/namespaces/ns/configmaps?dryRun=All application/json {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"ns"},"data":{"a":"1"}}',
    'PATCH /api/v1/namespaces/ns/configmaps/x?fieldManager=me&force=true application/apply-patch+yaml {"data":{}}',
    'DELETE /api/v1/namespaces/ns/pods/x application/json {"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,"preconditions":{"uid":"u"}}',
  ]);
});

test('a failure told by the server is a StatusError, also when the body is not a Status', async (t) => {
  const server = await serve(t, (request) => {
    if (request.url.pathname.endsWith('/a')) request.json(409, status(409, 'Conflict'));
    else {
      request.response.writeHead(502);
      request.response.end('bad gateway');
    }
  });
  const client = server.client();
  await assert.rejects(client.get(pods, 'a', 'ns'), (error) => isConflict(error));
  await assert.rejects(
    client.get(pods, 'b', 'ns'),
    (error) => error instanceof StatusError && error.code === 502 && error.message === 'bad gateway',
  );
});

test('metadata alone is asked for by the form, and whole objects where a server knows no other', async (t) => {
  const server = await serve(t, (request) => {
    if (!request.url.searchParams.has('watch')) return request.json(200, { metadata: {}, items: [] });
    request.response.writeHead(200);
    request.response.end('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
  });
  const client = server.client();
  await client.list(pods, { isMetadataOnly: true });
  for await (const { type } of client.watch(pods, { isMetadataOnly: true })) assert.equal(type, 'ADDED');
  await client.list(pods);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.accept),
    [
      'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
      'application/json',
    ],
  );
});

test('watches take no place away from calls, however many go on', async (t) => {
  const server = await serve(t, (request) => {
    if (!request.url.searchParams.has('watch')) return request.json(200, { metadata: { name: 'x' } });
    request.response.writeHead(200);
    request.response.flushHeaders();
  });
  const client = server.client({ maxCalls: 1 });
  const stop = new AbortController();
  const watches = Array.from({ length: 4 }, () => client.watch(pods, { signal: stop.signal }).next());
  await eventually(() => assert.equal(server.requests.length, 4));
  const answers = await Promise.all([1, 2, 3].map(() => client.get(pods, 'x', 'ns')));
  assert.deepEqual(
    answers.map(({ metadata }) => metadata.name),
    ['x', 'x', 'x'],
  );
  assert.equal(server.connections, 1);
  stop.abort();
  for (const ended of await Promise.allSettled(watches)) assert.equal(ended.status, 'rejected');
});

test('calls beyond the bound wait until one has ended, well or not', async (t) => {
  const server = await serve(t, () => undefined);
  const client = server.client({ maxCalls: 2 });
  const aborted = new AbortController();
  const calls = Array.from({ length: 5 }, (_, number) =>
    client
      .get(pods, 'x', 'ns', number === 0 || number === 3 ? { signal: aborted.signal } : {})
      .catch((e: Error) => e.name),
  );
  await eventually(() => assert.equal(server.requests.length, 2));
  aborted.abort();
  await eventually(() => assert.equal(server.requests.length, 3));
  for (const number of [1, 2]) server.requests[number]?.json(200, { metadata: { name: 'x' } });
  await eventually(() => assert.equal(server.requests.length, 4));
  server.requests[3]?.json(404, status(404, 'NotFound'));
  const ends = await Promise.all(calls);
  assert.deepEqual(
    ends.map((end) => (typeof end === 'string' ? end : end.metadata.name)),
    ['AbortError', 'x', 'x', 'AbortError', 'StatusError'],
  );
});

for (const protocol of ['h2', 'http/1.1'] as const) {
  test(`${protocol}: an answer that is cut is a lost connection, whether it is read at once or in pieces`, async (t) => {
    const server = await serve(
      t,
      ({ response }) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n{"type');
      },
      { protocol },
    );
    const client = server.client();
    const whole = client.get(pods, 'x', 'ns');
    const pieces = client.watch(pods)[Symbol.asyncIterator]();
    assert.equal((await pieces.next()).value?.object.metadata.name, 'a');
    await eventually(() => assert.equal(server.requests.length, 2));
    server.cut();
    await assert.rejects(whole, { code: 'ECONNRESET' });
    await assert.rejects(pieces.next(), { code: 'ECONNRESET' });
  });

  test(`${protocol}: after the connection was lost, the next call makes a new one`, async (t) => {
    const server = await serve(t, (request) => request.json(200, { metadata: { name: 'x' } }), { protocol });
    const client = server.client();
    for (let round = 0; round < 3; round++) {
      assert.equal((await client.get(pods, 'x', 'ns')).metadata.name, 'x');
      server.cut();
    }
    assert.ok(server.connections >= 3);
  });

  test(`${protocol}: a change that was under way when the connection broke is not sent again`, async (t) => {
    const server = await serve(t, () => server.cut(), { protocol });
    await assert.rejects(server.client().delete(pods, 'x', 'ns'), { code: 'ECONNRESET' });
    assert.equal(server.requests.length, 1);
  });

  test(`${protocol}: a big answer comes whole, beside others`, async (t) => {
    const pad = 'ä'.repeat(4 * 1024 * 1024);
    const server = await serve(
      t,
      (request) =>
        request.json(200, { metadata: { name: 'x' }, pad: request.url.pathname.endsWith('/big') ? pad : '' }),
      { protocol },
    );
    const client = server.client();
    const [big, ...small] = await Promise.all(['big', 'a', 'b'].map((name) => client.get(pods, name, 'ns')));
    assert.equal((big as unknown as { pad: string }).pad, pad);
    assert.equal(small.length, 2);
  });
}

test('a connection on which nothing has come for the time of a call is given up', async (t) => {
  const clock = new FakeClock();
  let isSilent = true;
  const server = await serve(t, (request) => {
    if (!isSilent) request.json(200, { metadata: { name: 'x' } });
  });
  const client = server.client({ clock, timeoutMs: 1000 });
  // The first bytes of a connection are its settings.
  isSilent = false;
  await client.get(pods, 'x', 'ns');
  isSilent = true;
  const silent = assert.rejects(client.get(pods, 'x', 'ns'), { name: 'CallTimeoutError' });
  await eventually(() => assert.equal(server.requests.length, 2));
  await clock.advance(1000);
  await silent;
  isSilent = false;
  await client.get(pods, 'x', 'ns');
  assert.equal(server.connections, 2);
});

test('nobody is waited for longer than a call may take, not while a connection is made either', async (t) => {
  const clock = new FakeClock();
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const client = new HttpsClient({
    connection: new Connection({ server: `https://127.0.0.1:${port}` }, clock),
    clock,
    timeoutMs: 1000,
  });
  t.after(() => client.close());
  const call = assert.rejects(client.get(pods, 'x', 'ns'), { name: 'CallTimeoutError' });
  await clock.advance(1000);
  await call;
  const stop = new AbortController();
  const aborted = assert.rejects(client.get(pods, 'x', 'ns', { signal: stop.signal }), { name: 'AbortError' });
  stop.abort();
  await aborted;
  const refused = assert.rejects(client.get(pods, 'x', 'ns', {}), { code: 'ETIMEDOUT' });
  await clock.advance(20_000);
  await refused;
});

test('429 with Retry-After waits as long as it says, a bounded number of times', async (t) => {
  const clock = new FakeClock();
  const server = await serve(t, (request) => request.json(429, status(429, 'TooManyRequests'), { 'retry-after': '2' }));
  let ended = false;
  const call = assert
    .rejects(
      server.client({ clock }).get(pods, 'a', 'ns'),
      (error) => error instanceof StatusError && error.code === 429,
    )
    .finally(() => {
      ended = true;
    });
  await eventually(async () => {
    await clock.advance(2_000);
    assert.ok(ended);
  });
  await call;
  assert.equal(server.requests.length, 11);
});

test('a call that gets no answer ends after its time', async (t) => {
  const clock = new FakeClock();
  const server = await serve(t, () => undefined);
  const call = assert.rejects(server.client({ clock, timeoutMs: 1000 }).get(pods, 'a', 'ns'), {
    name: 'CallTimeoutError',
  });
  await eventually(() => assert.equal(server.requests.length, 1));
  await clock.advance(1000);
  await call;
});

test('an aborted call rejects with an AbortError', async (t) => {
  const server = await serve(t, () => undefined);
  const controller = new AbortController();
  const call = assert.rejects(server.client().get(pods, 'a', 'ns', { signal: controller.signal }), {
    name: 'AbortError',
  });
  await eventually(() => assert.equal(server.requests.length, 1));
  controller.abort();
  await call;
});

test('a refused token is renewed once', async (t) => {
  const server = await serve(t, (request) =>
    request.headers.authorization === 'Bearer new'
      ? request.json(200, { metadata: { name: 'a' } })
      : request.json(401, status(401, 'Unauthorized')),
  );
  let current = 'old';
  const token: TokenSource = {
    token: () => current,
    refused: () => {
      current = 'new';
    },
  };
  assert.equal((await server.client({ token }).get(pods, 'a', 'ns')).metadata.name, 'a');
  assert.equal(server.requests.length, 2);
});

test('a watch yields events cut anywhere by the network, and ends with the stream', async (t) => {
  const server = await serve(t, ({ response }) => {
    response.writeHead(200);
    const text = `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'ä' } } })}\n{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}\n`;
    const bytes = Buffer.from(text);
    const cut = bytes.indexOf(0xa4); // within the two bytes of ä
    response.write(bytes.subarray(0, cut));
    setImmediate(() => response.end(bytes.subarray(cut)));
  });
  const seen: unknown[] = [];
  for await (const event of server.client().watch(pods, { resourceVersion: '5' }))
    seen.push([event.type, event.object.metadata]);
  assert.deepEqual(seen, [
    ['ADDED', { name: 'ä' }],
    ['BOOKMARK', { resourceVersion: '7' }],
  ]);
  assert.equal(server.requests[0]?.url.search, '?watch=true&resourceVersion=5&allowWatchBookmarks=true');
});

test('an ERROR event is thrown, and so is silence', async (t) => {
  const clock = new FakeClock();
  const server = await serve(t, ({ response, url }) => {
    response.writeHead(200);
    response.flushHeaders();
    if (url.searchParams.get('resourceVersion') === '1') {
      response.end(`${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })}\n`);
    }
  });
  const drain = async (resourceVersion: string): Promise<void> => {
    for await (const event of server.client({ clock }).watch(pods, { resourceVersion })) assert.fail(event.type);
  };
  await assert.rejects(drain('1'), (error) => isExpired(error));
  let ended = false;
  const silent = assert.rejects(drain('2'), { name: 'SilentWatchError' }).finally(() => {
    ended = true;
  });
  await eventually(() => assert.equal(server.requests.length, 2));
  await eventually(async () => {
    await clock.advance(10_000);
    assert.ok(ended);
  });
  await silent;
});

test('a paused consumer pauses the server: a watch buffers no more than the sockets hold', async (t) => {
  const line = `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'x' }, pad: 'p'.repeat(64 * 1024) } })}\n`;
  let accepted = 0;
  const server = await serve(t, ({ response }) => {
    response.writeHead(200);
    const pump = (): void => {
      while (accepted < 4000 && !response.destroyed) {
        accepted++;
        if (!response.write(line)) {
          response.once('drain', pump);
          return;
        }
      }
    };
    pump();
  });
  const stream = server.client().watch(pods)[Symbol.asyncIterator]();
  assert.equal((await stream.next()).value?.type, 'ADDED');
  let last = -1;
  await eventually(
    () => {
      const stable = accepted === last;
      last = accepted;
      assert.ok(stable);
    },
    20_000,
    100,
  );
  assert.ok(accepted < 1000, `${accepted} of 4000 lines were taken from the server`);
  await stream.return?.(undefined);
});
