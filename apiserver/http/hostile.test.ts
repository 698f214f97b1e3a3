import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { serverWorld } from '../testing/server-world.js';

describe('hostile requests', () => {
  const world = serverWorld();
  const { admin } = world;
  const core = '/api/v1/namespaces/default';
  before(async () => {
    await admin.send(`${core}/configmaps`, { body: { metadata: { name: 'a' }, data: { k: 'v' } } });
  });

  /** No input may break anything: a refusal is a Status below 500, but for the future, which is a 504. */
  const isDecent = (code: number, kind: unknown): boolean =>
    code < 400 || (code < 500 && kind === 'Status') || code === 504;

  it('queries of any kind get an answer or a refusal', async () => {
    const name = fc.constantFrom(
      'labelSelector',
      'fieldSelector',
      'limit',
      'continue',
      'resourceVersion',
      'resourceVersionMatch',
      'dryRun',
      'fieldManager',
      'includeObject',
      'timeoutSeconds',
    );
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        '0',
        '-1',
        '1e99',
        '9'.repeat(40),
        'a in (',
        '!',
        'a=b,',
        'metadata.name=a',
        'Exact',
        '__proto__=x',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 4 }), async (pairs) => {
        const query = new URLSearchParams(pairs.map(([key, text]): [string, string] => [key, text]));
        const answer = await admin.send(`${core}/configmaps?${query.toString()}`);
        assert.ok(isDecent(answer.code, answer.json?.['kind']), `${query.toString()}: ${answer.code} ${answer.text}`);
      }),
      { numRuns: 300 },
    );
  });

  it('bodies and patches of any kind get an answer or a refusal', async () => {
    const types = [
      'application/json',
      'application/yaml',
      'application/vnd.kubernetes.protobuf',
      'application/merge-patch+json',
      'application/strategic-merge-patch+json',
      'application/json-patch+json',
      'application/apply-patch+yaml',
    ];
    const body = fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc
        .json({ maxDepth: 2 })
        .map((data) => `{"apiVersion":"v1","kind":"ConfigMap","metadata":${data},"data":${data}}`),
      fc.constantFrom(
        '[{"op":"remove","path":"/metadata/name"}]',
        '{"metadata":null}',
        '{"metadata":{"name":null}}',
        'k8s\0',
      ),
    );
    const method = fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE');
    await fc.assert(
      fc.asyncProperty(method, fc.constantFrom(...types), body, async (verb, type, text) => {
        const path = verb === 'POST' ? `${core}/configmaps` : `${core}/configmaps/a`;
        const headers = { 'content-type': type };
        const answer = await admin.send(`${path}?dryRun=All&fieldManager=m`, { method: verb, body: text, headers });
        assert.ok(
          isDecent(answer.code, answer.json?.['kind']),
          `${verb} ${type} ${text}: ${answer.code} ${answer.text}`,
        );
      }),
      { numRuns: 600 },
    );
  });

  it('tokens of any kind get a 401', async () => {
    const nobody = world.clientWith();
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[A-Za-z0-9._-]{1,80}$/), async (token) => {
        const answer = await nobody.send('/version', { headers: { authorization: `Bearer ${token}` } });
        assert.equal(answer.code, 401);
      }),
      { numRuns: 200 },
    );
  });
});
