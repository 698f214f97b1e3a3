import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { systemClock } from '../../shared/clock/clock.js';
import { silentLog } from '../../shared/log/log.js';
import { createCertificateAuthority, type KeyPair } from '../../shared/pki/certificate.js';
import { TokenReviews } from '../../shared/review/token-reviews.js';
import { usualAuthorizers } from '../authorization/authorization-chain.js';
import { WebhookAuthorizer } from '../authorization/webhook-authorizer.js';
import { getJson } from '../identity-flags.js';
import { FakeService } from '../testing/fake-service.js';
import { RawClient, type RawAnswer } from '../testing/raw-client.js';
import { startTestServer, type TestServer } from '../testing/test-server.js';
import { OidcAuthenticator } from './oidc-authenticator.js';
import { readIdentity, usernamePrefix, type ClaimMapping } from './oidc-claims.js';
import { reviewClientFromKubeconfig } from './review-client.js';

interface Selected {
  resource?: string;
  fieldSelector?: object;
  labelSelector?: object;
}
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

describe('users that others vouch for', () => {
  let server: TestServer;
  let nobody: RawClient;
  let provider: FakeService;
  let webhook: FakeService;
  let directory: string;
  let keys: Keys;
  let published: JWK[] = [];
  let selected: Selected | undefined;
  const clients: { close(): void }[] = [];
  const who = (token: string): Promise<RawAnswer> =>
    nobody.send('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      headers: { authorization: `Bearer ${token}` },
      body: {},
    });
  const userInfo = async (token: string): Promise<{ username: string; groups: string[] }> => {
    const answer = await who(token);
    assert.equal(answer.code, 201, answer.text);
    return (answer.json as { status: { userInfo: { username: string; groups: string[] } } }).status.userInfo;
  };
  const makeKeys = async (kid: string): Promise<Keys> => {
    const made = await generateKeyPair('RS256');
    published = [...published, { ...(await exportJWK(made.publicKey)), kid, alg: 'RS256', use: 'sig' }];
    return made;
  };
  const issue = (claims: Record<string, unknown>, given: { kid?: string; keys?: Keys; expires?: number } = {}) =>
    new SignJWT({ iss: provider.url, aud: 'knarr', sub: 'jane', ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: given.kid ?? 'one' })
      .setIssuedAt()
      .setExpirationTime(given.expires ?? Math.floor(Date.now() / 1000) + 600)
      .sign((given.keys ?? keys).privateKey);
  const kubeconfig = async (ca: KeyPair, url: string): Promise<string> => {
    const path = join(directory, `${url.replaceAll(/\W/g, '_')}.conf`);
    const cluster = { server: url, 'certificate-authority-data': Buffer.from(ca.certificate).toString('base64') };
    const config = {
      'current-context': 'c',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    };
    await writeFile(path, JSON.stringify(config));
    return path;
  };
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'knarr-external-'));
    const validity = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 3_600_000) };
    const ca = await createCertificateAuthority({ subject: { commonName: 'outside' }, ...validity });
    provider = await FakeService.start(ca, (path) =>
      path.startsWith('/.well-known/')
        ? { code: 200, body: { issuer: provider.url, jwks_uri: `${provider.url}/keys` } }
        : { code: 200, body: { keys: published } },
    );
    webhook = await FakeService.start(ca, (_, body) => {
      const { kind, spec } = body as { kind: string; spec: Record<string, unknown> };
      if (kind === 'TokenReview') {
        if (spec['token'] === 'broken') return { code: 200, body: 'no object' };
        const isKnown = spec['token'] === 'opaque';
        return {
          code: 200,
          body: { status: isKnown ? { authenticated: true, user: { username: 'webby', groups: ['web'] } } : {} },
        };
      }
      const nobodyKnows = (spec['nonResourceAttributes'] as { path?: string } | undefined)?.path === '/away';
      if (nobodyKnows) return { code: 500, body: {} };
      const { resource, ...selectors } = (spec['resourceAttributes'] ?? {}) as Selected;
      if (selectors.labelSelector) selected = selectors;
      const isWebby = spec['user'] === 'webby';
      const verdict = {
        allowed: isWebby && resource === 'pods',
        denied: isWebby && resource === 'nodes',
        reason: 'said so',
      };
      return { code: 200, body: { status: verdict } };
    });
    keys = await makeKeys('one');
    const oidc = new OidcAuthenticator(
      {
        issuerUrl: provider.url,
        audiences: ['knarr'],
        signingAlgorithms: ['RS256'],
        mapping: {
          username: { claim: 'sub', prefix: 'sso:' },
          groups: { claim: 'groups', prefix: 'sso:' },
          claimRules: [{ claim: 'tenant', value: 'us' }],
        },
      },
      {
        clock: { ...systemClock, monotonic: () => systemClock.monotonic() * 1_000 },
        log: silentLog,
        getJson: (url) => getJson(url, ca.certificate),
      },
    );
    const client = await reviewClientFromKubeconfig(await kubeconfig(ca, `${webhook.url}/review`), systemClock);
    clients.push(client);
    const given = { ask: client.ask, clock: systemClock, log: silentLog };
    server = await startTestServer({
      identity: {
        tokenAuthenticators: [oidc, new TokenReviews({ ...given, cacheTtlMs: 60_000 })],
        authorizers: usualAuthorizers(
          new WebhookAuthorizer({ ...given, authorizedTtlMs: 60_000, unauthorizedTtlMs: 60_000 }),
        ),
      },
    });
    nobody = new RawClient(server);
  });
  after(async () => {
    nobody.close();
    await server.close();
    for (const one of [...clients, provider, webhook]) one.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('come in with a token of the OpenID provider, under a prefix of their own', async () => {
    const user = await userInfo(await issue({ tenant: 'us', groups: ['dev', 'system:masters'] }));
    assert.deepEqual(user, { username: 'sso:jane', groups: ['sso:dev', 'sso:system:masters', 'system:authenticated'] });
  });

  it('are refused for another client, a missing claim, an old token or a foreign key', async () => {
    const foreign = await generateKeyPair('RS256');
    const bad = [
      await issue({ tenant: 'us', aud: 'other' }),
      await issue({}),
      await issue({ tenant: 'us', sub: '' }),
      await issue({ tenant: 'us', groups: [1] }),
      await issue({ tenant: 'us' }, { expires: 1_000 }),
      await issue({ tenant: 'us' }, { keys: foreign }),
      await issue({ tenant: 'us', iss: 'https://elsewhere' }),
    ];
    for (const token of bad) assert.equal((await who(token)).code, 401, token);
  });

  it('come in with a key that the provider has added since', async () => {
    const added = await makeKeys('two');
    assert.equal((await userInfo(await issue({ tenant: 'us' }, { kid: 'two', keys: added }))).username, 'sso:jane');
  });

  it('come in with a token that a webhook knows, which is asked once', async () => {
    assert.deepEqual(await userInfo('opaque'), { username: 'webby', groups: ['web', 'system:authenticated'] });
    const before = webhook.asked.length;
    await userInfo('opaque');
    assert.ok(webhook.asked.length - before <= 1);
    assert.equal((await who('broken')).code, 401);
  });

  it('may what a webhook allows, and not what it denies', async () => {
    const headers = { authorization: 'Bearer opaque' };
    assert.equal((await nobody.send('/api/v1/namespaces/default/pods', { headers })).code, 200);
    const denied = await nobody.send('/api/v1/nodes', { headers });
    assert.equal(denied.code, 403);
    assert.match(String(denied.json?.['message']), /at the cluster scope: said so$/);
  });

  it('are told that it failed, not that it is forbidden, where the webhook does not answer', async () => {
    const headers = { authorization: 'Bearer opaque' };
    const answer = await nobody.send('/away', { headers });
    assert.equal(answer.code, 500);
    assert.equal(answer.json?.['reason'], 'InternalError');
    assert.match(
      String(answer.json['message']),
      /^Internal Server Error: "\/away": the webhook https:\/\/\S+ answered 500$/,
    );
    const forbidden = await nobody.send('/<b>', { headers });
    assert.equal(forbidden.code, 403);
    assert.match(String(forbidden.json?.['message']), /cannot get path "\/(&lt;b&gt;|%3Cb%3E)"/);
  });

  it('may what a webhook says of the objects that they select', async () => {
    const headers = { authorization: 'Bearer opaque' };
    const query = 'fieldSelector=spec.nodeName%3Dn&labelSelector=a%3Db,!c,d%3E1';
    await nobody.send(`/api/v1/namespaces/default/pods?${query}`, { headers });
    assert.deepEqual(selected?.fieldSelector, {
      requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n'] }],
    });
    assert.deepEqual(selected.labelSelector, {
      requirements: [
        { key: 'a', operator: 'In', values: ['b'] },
        { key: 'c', operator: 'DoesNotExist' },
      ],
    });
  });

  it('get 401 for whatever else they show, and never an answer of 500', async () => {
    const segment = fc.oneof(
      fc.base64String(),
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
    );
    const token = fc.oneof(
      fc.string(),
      fc.tuple(segment, segment, segment).map((parts) => parts.join('.')),
      fc
        .json()
        .map(
          (text) =>
            `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(text).toString('base64url')}.`,
        ),
      fc.object().map((claims) => {
        const body = Buffer.from(JSON.stringify({ iss: provider.url, ...claims })).toString('base64url');
        return `${Buffer.from('{"alg":"RS256","kid":"one"}').toString('base64url')}.${body}.AAAA`;
      }),
    );
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        const shown = text.replaceAll(/[^\x21-\x7e]/g, '');
        fc.pre(shown !== '' && shown !== 'opaque');
        assert.equal((await nobody.send('/version', { headers: { authorization: `Bearer ${shown}` } })).code, 401);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the identity in verified claims', () => {
  const mapping: ClaimMapping = { username: { claim: 'sub', prefix: '' }, claimRules: [] };
  const of = (claim: string, given: string | undefined): Partial<ClaimMapping> => ({
    username: { claim, prefix: usernamePrefix(given, claim, 'https://i') },
  });
  const table: [Partial<ClaimMapping>, object, string | undefined][] = [
    [of('sub', undefined), { sub: 'a' }, 'https://i#a'],
    [of('sub', '-'), { sub: 'a' }, 'a'],
    [of('sub', 'p:'), { sub: 'a' }, 'p:a'],
    [of('email', undefined), { email: 'a@b' }, 'a@b'],
    [of('email', undefined), { email: 'a@b', email_verified: false }, undefined],
    [of('constructor', undefined), {}, undefined],
    [{ claimRules: [{ claim: 'x', value: 'y' }] }, { sub: 'a', x: 'z' }, undefined],
  ];
  for (const [given, claims, name] of table) {
    it(`of ${JSON.stringify(claims)} under ${JSON.stringify(given)} is ${name ?? 'nobody'}`, () =>
      assert.equal(readIdentity({ ...mapping, ...given }, claims as Record<string, unknown>)?.name, name));
  }
});
