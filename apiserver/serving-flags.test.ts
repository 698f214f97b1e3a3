import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import { describe, it } from 'node:test';
import type { Pod } from '../shared/api/generated/types.js';
import { FakeClock } from '../shared/clock/fake-clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { TokenFile } from './authentication/token-file.js';
import { BrowserHeaders } from './http/browser-headers.js';
import { readServing, type ServingFlags } from './serving-flags.js';
import { serverWorld } from './testing/server-world.js';
import { RawClient } from './testing/raw-client.js';
import { startTestServer } from './testing/test-server.js';

const flags = (more: Partial<ServingFlags> = {}): ServingFlags => ({
  eventTtl: 3_600_000,
  requestTimeout: 60_000,
  shutdownDelayDuration: 0,
  corsAllowedOrigins: [],
  strictTransportSecurityDirectives: [],
  defaultNotReadyTolerationSeconds: 300,
  defaultUnreachableTolerationSeconds: 300,
  ...more,
});

describe('flags about serving', () => {
  it('name versions and suites of TLS as Go does', () => {
    const { tlsMinVersion, cipherSuites } = readServing(
      flags({ tlsMinVersion: 'VersionTLS13', tlsCipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] }),
    );
    assert.deepEqual([tlsMinVersion, cipherSuites], ['TLSv1.3', ['ECDHE-RSA-AES128-GCM-SHA256']]);
    assert.throws(() => readServing(flags({ tlsMinVersion: 'TLS1.3' })), /unknown tls version "TLS1.3"/);
    const unknown = flags({ tlsCipherSuites: ['TLS_RSA_WITH_RC4_128_SHA'] });
    assert.throws(() => readServing(unknown), /TLS_RSA_WITH_RC4_128_SHA not supported or doesn't exist/);
    assert.throws(() => new BrowserHeaders({ strictTransportSecurity: ['maxage=1'] }), /directives invalid/);
  });
});

describe('a server with flags of its own', () => {
  const serving = readServing(
    flags({
      tlsMinVersion: 'VersionTLS13',
      corsAllowedOrigins: ['^https://dash\\.example\\.com$'],
      strictTransportSecurityDirectives: ['max-age=31536000', 'includeSubDomains'],
      defaultNotReadyTolerationSeconds: 10,
      defaultUnreachableTolerationSeconds: 20,
      eventTtl: 600_000,
    }),
  );
  const clock = new FakeClock();
  const world = serverWorld({
    serving,
    clock,
    identity: { letsInAnonymous: () => false, takesBootstrapTokens: false },
  });
  const { admin } = world;

  it('speaks no older TLS than it is told', async () => {
    const outcome = await new Promise<string>((resolve) => {
      const options = { port: world.server.port, maxVersion: 'TLSv1.2', rejectUnauthorized: false } as const;
      const socket = connect(options, () => resolve('connected'));
      socket.on('error', ({ message }) => resolve(message));
    });
    assert.match(outcome, /protocol version/);
  });

  it('tells browsers which pages may read, before it asks who they are', async () => {
    const nobody = world.clientWith();
    const asked = { method: 'OPTIONS', headers: { origin: 'https://dash.example.com' } };
    const preflight = await nobody.send('/api/v1/pods', asked);
    assert.equal(preflight.code, 204);
    assert.equal(preflight.headers['access-control-allow-origin'], 'https://dash.example.com');
    assert.equal(preflight.headers['access-control-allow-credentials'], 'true');
    const answer = await admin.send('/version', { headers: { origin: 'https://dash.example.com' } });
    assert.equal(answer.headers['access-control-allow-origin'], 'https://dash.example.com');
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000; includeSubDomains');
    const other = { method: 'OPTIONS', headers: { origin: 'https://evil.example.com' } };
    const refused = await nobody.send('/api/v1/pods', other);
    assert.equal(refused.code, 401, 'and who shows nothing is refused');
    assert.equal(refused.headers['access-control-allow-origin'], undefined);
  });

  it('gives pods its own times on nodes that fail', async () => {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    const { json } = await admin.send('/api/v1/namespaces/default/pods', { body: { metadata: { name: 'p' }, spec } });
    const { tolerations = [] } = (json as unknown as Pod).spec;
    assert.deepEqual(
      tolerations.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]),
      [
        ['node.kubernetes.io/not-ready', 10],
        ['node.kubernetes.io/unreachable', 20],
      ],
    );
  });

  it('forgets events when it is told', async () => {
    const path = '/api/v1/namespaces/default/events';
    const nowIso = new Date(clock.now()).toISOString().replace(/\.\d+Z/, 'Z');
    const body = {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
      lastTimestamp: nowIso,
    };
    assert.equal((await admin.send(path, { body })).code, 201);
    await clock.advance(700_000);
    await eventually(async () => assert.equal((await admin.send(`${path}/e`)).code, 404));
  });
});

describe('a server that is told to wait before it stops', () => {
  it('fails /readyz and still answers', async () => {
    const clock = new FakeClock();
    const server = await startTestServer({ serving: readServing(flags({ shutdownDelayDuration: 5_000 })), clock });
    const admin = new RawClient(server, server.admin);
    const stopped = server.close();
    await eventually(async () => assert.equal((await admin.send('/readyz')).code, 500));
    assert.equal((await admin.send('/api/v1/namespaces')).code, 200);
    admin.close();
    await clock.advance(5_000);
    await stopped;
  });
});

describe('a file of tokens', () => {
  it('names a user, his uid and his groups', async () => {
    const file = new TokenFile('# tokens\nabc,jane,u1,"dev, ops"\ndef,joe,,\n,ghost,u2\n');
    const found = async (token: string): Promise<unknown> => (await file.authenticate(token, ['a']))?.user;
    assert.deepEqual(await found('abc'), { name: 'jane', groups: ['dev', 'ops'], uid: 'u1' });
    assert.deepEqual(await found('def'), { name: 'joe', groups: [] });
    assert.equal(await found(''), undefined);
    assert.equal(await found('xyz'), undefined);
    assert.throws(() => new TokenFile('abc,jane\n'), /line 1: token file has less than three columns/);
    assert.throws(() => new TokenFile('abc,ja"ne,u\n'), /line 1: a quotation mark where none may be/);
  });
});
