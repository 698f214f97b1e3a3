import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RawClient } from '../testing/raw-client.js';
import { startTestServer } from '../testing/test-server.js';
import { readAuthenticationConfiguration, type AuthenticationConfiguration } from './authentication-configuration.js';
import { readIdentity } from './oidc-claims.js';
import type { User } from './user.js';

const read = (content: object): AuthenticationConfiguration => {
  const head = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration' };
  return readAuthenticationConfiguration({ ...head, ...content }, ['https://kubernetes.default.svc']);
};
const issuer = { url: 'https://issuer', audiences: ['a'] };
const byClaim = { username: { claim: 'sub', prefix: '' } };
const one = (more: object): object => ({ jwt: [{ issuer, claimMappings: byClaim, ...more }] });

describe('an AuthenticationConfiguration is refused', () => {
  const mappings = (more: object): object => one({ claimMappings: { ...byClaim, ...more } });
  const wrong: [content: object, message: string][] = [
    [{ jwt: [{ issuer: { ...issuer, url: '' }, claimMappings: byClaim }] }, 'jwt[0].issuer.url: Required value'],
    [
      one({ issuer: { ...issuer, url: 'http://issuer' } }),
      'jwt[0].issuer.url: Invalid value: "http://issuer": URL scheme must be https',
    ],
    [
      one({ issuer: { ...issuer, url: 'https://u:p@issuer?q#f' } }),
      '[jwt[0].issuer.url: Invalid value: "https://u:p@issuer?q#f": URL must not contain a username or password, ' +
        'jwt[0].issuer.url: Invalid value: "https://u:p@issuer?q#f": URL must not contain a query, ' +
        'jwt[0].issuer.url: Invalid value: "https://u:p@issuer?q#f": URL must not contain a fragment]',
    ],
    [
      one({ issuer: { ...issuer, url: 'https://kubernetes.default.svc' } }),
      'jwt[0].issuer.url: Invalid value: "https://kubernetes.default.svc": URL must not overlap with disallowed issuers: [https://kubernetes.default.svc]',
    ],
    [
      one({ issuer: { ...issuer, discoveryURL: 'https://issuer/' } }),
      'jwt[0].issuer.discoveryURL: Invalid value: "https://issuer/": discoveryURL must be different from URL',
    ],
    [
      one({ issuer: { url: 'https://issuer' } }),
      'jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required',
    ],
    [
      one({ issuer: { ...issuer, audiences: ['a', 'b'] } }),
      'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
    ],
    [
      one({ issuer: { ...issuer, certificateAuthority: 'none' } }),
      'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates',
    ],
    [
      {
        jwt: [
          { issuer, claimMappings: byClaim },
          { issuer, claimMappings: byClaim },
        ],
      },
      'jwt[1].issuer.url: Duplicate value: "https://issuer"',
    ],
    [one({ claimMappings: {} }), 'jwt[0].claimMappings.username: Required value: claim or expression is required'],
    [
      one({ claimMappings: { username: { claim: 'sub' } } }),
      'jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
    ],
    [
      one({ claimMappings: { username: { claim: 'sub', prefix: '', expression: 'claims.sub' } } }),
      `jwt[0].claimMappings.username: Invalid value: "": claim and expression can't both be set`,
    ],
    [
      one({ claimMappings: { username: { expression: 'claims.email' } } }),
      'jwt[0].claimMappings.username.expression: Invalid value: "claims.email": claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
    ],
    [
      mappings({ groups: { expression: 'foo' } }),
      `jwt[0].claimMappings.groups.expression: Invalid value: "foo": compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^`,
    ],
    [
      mappings({ extra: [{ key: 'a.k8s.io/b', valueExpression: 'claims.b' }] }),
      'jwt[0].claimMappings.extra[0].key: Invalid value: "a.k8s.io/b": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
    ],
    [
      mappings({ extra: [{ key: 'a.io/B', valueExpression: '' }] }),
      '[jwt[0].claimMappings.extra[0].key: Invalid value: "a.io/B": must be lowercase, jwt[0].claimMappings.extra[0].valueExpression: Required value]',
    ],
    [
      one({ claimValidationRules: [{ claim: 'a', message: 'm' }, { claim: 'a' }, {}] }),
      '[jwt[0].claimValidationRules[0].message: Invalid value: "m": may not be specified when claim is set, jwt[0].claimValidationRules[1].claim: Duplicate value: "a", jwt[0].claimValidationRules[2]: Required value: claim or expression is required]',
    ],
    [
      one({ claimValidationRules: [{ expression: '"a"' }] }),
      'jwt[0].claimValidationRules[0].expression: Invalid value: "\\"a\\"": must evaluate to bool but got string',
    ],
    [
      one({ userValidationRules: [{ expression: 'true' }, { expression: 'true' }, {}] }),
      '[jwt[0].userValidationRules[1].expression: Duplicate value: "true", jwt[0].userValidationRules[2].expression: Required value]',
    ],
    [
      { anonymous: { conditions: [{ path: '/livez' }] } },
      'anonymous.conditions: Invalid value: [{"path":"/livez"}]: enabled should be set to true when conditions are defined',
    ],
    [one({ audience: 'a' }), 'strict decoding error: unknown field "jwt[0].audience"'],
    [
      { kind: 'Policy' },
      'the authentication configuration is not of apiVersion apiserver.config.k8s.io/v1 and kind AuthenticationConfiguration',
    ],
  ];
  for (const [content, message] of wrong) {
    it(`with ${message.slice(0, 100)}`, () => assert.throws(() => read(content), { message }));
  }

  it('with more than 64 issuers', () => {
    const jwt = Array.from({ length: 65 }, (_, i) => ({
      issuer: { ...issuer, url: `https://issuer-${i}` },
      claimMappings: byClaim,
    }));
    assert.throws(() => read({ jwt }), { message: 'jwt: Too many: 65: must have at most 64 items' });
  });
});

describe('expressions over claims', () => {
  const user = (more: object, claims: Record<string, unknown>): User | undefined => {
    const [jwt] = read(one(more)).jwt;
    assert.ok(jwt);
    return readIdentity(jwt.mapping, claims);
  };

  it('make name, groups, uid and extra of a user', () => {
    const claimMappings = {
      username: { expression: '"jwt:" + claims.sub' },
      groups: { expression: 'claims.roles.split(",")' },
      uid: { expression: 'claims.oid' },
      extra: [
        { key: 'example.com/tenant', valueExpression: 'claims.tenant' },
        { key: 'example.com/none', valueExpression: '""' },
      ],
    };
    const claims = { sub: 'jane', roles: 'dev,,ops', oid: '7', tenant: 'us' };
    assert.deepEqual(user({ claimMappings }, claims), {
      name: 'jwt:jane',
      groups: ['dev', 'ops'],
      uid: '7',
      extra: { 'example.com/tenant': ['us'] },
    });
  });

  it('let nobody in where they have no value, or one of another type', () => {
    const named = (expression: string): object => ({ claimMappings: { username: { expression } } });
    assert.equal(user(named('claims.sub'), {}), undefined);
    assert.equal(user(named('claims.sub'), { sub: 7 }), undefined);
    assert.equal(user(named('claims.sub'), { sub: '' }), undefined);
    const grouped = { claimMappings: { ...byClaim, groups: { expression: 'claims.groups' } } };
    assert.equal(user(grouped, { sub: 'a', groups: [1] }), undefined);
    assert.deepEqual(user(grouped, { sub: 'a', groups: null })?.groups, []);
    assert.equal(user({ claimMappings: { ...byClaim, uid: { claim: 'oid' } } }, { sub: 'a' }), undefined);
  });

  it('are rules about claims and about the user', () => {
    const rules = {
      claimValidationRules: [{ expression: 'claims.exp - claims.nbf <= 86400', message: 'too long' }],
      userValidationRules: [{ expression: "!user.username.startsWith('system:')" }],
    };
    assert.equal(user(rules, { sub: 'a', nbf: 0, exp: 86_400 })?.name, 'a');
    assert.equal(user(rules, { sub: 'a', nbf: 0, exp: 86_401 }), undefined);
    assert.equal(user(rules, { sub: 'system:admin', nbf: 0, exp: 1 }), undefined);
    assert.equal(user(rules, { sub: 'a' }), undefined);
  });
});

describe('the anonymous', () => {
  it('come everywhere, to some paths, or nowhere', () => {
    assert.equal(read({}).letsInAnonymous, undefined);
    assert.equal(read({ anonymous: { enabled: true } }).letsInAnonymous?.('/api'), true);
    assert.equal(read({ anonymous: { enabled: false } }).letsInAnonymous?.('/livez'), false);
    const some = read({ anonymous: { enabled: true, conditions: [{ path: '/livez' }] } }).letsInAnonymous;
    assert.equal(some?.('/livez'), true);
    assert.equal(some?.('/livez/ping'), false);
  });

  it('get 401 where they may not come, and not where somebody shows who he is', async () => {
    const { letsInAnonymous } = read({ anonymous: { enabled: true, conditions: [{ path: '/livez' }] } });
    assert.ok(letsInAnonymous);
    const server = await startTestServer({ identity: { letsInAnonymous } });
    const nobody = new RawClient(server);
    const admin = new RawClient(server, server.admin);
    try {
      assert.equal((await nobody.send('/livez?verbose')).code, 200);
      const refused = await nobody.send('/version');
      assert.equal(refused.code, 401);
      assert.equal(refused.json?.['reason'], 'Unauthorized');
      assert.equal((await admin.send('/version')).code, 200);
    } finally {
      nobody.close();
      admin.close();
      await server.close();
    }
  });
});
