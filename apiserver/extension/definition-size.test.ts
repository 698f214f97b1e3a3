import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CustomResourceDefinition } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { validateInSteps } from './definition-validation.js';
import { evaluateRules, rulesOf } from './rules.js';
import type { Schema } from './schema.js';
import { definitionOf, specSchema, version } from './testing.js';
import { RawClient } from '../testing/raw-client.js';
import { startTestServer } from '../testing/test-server.js';
import { processorWatch } from '../../shared/clock/processor-time.js';

/** The longest step of some work, in milliseconds of processor time. */
function longestStep<T>(steps: Generator<void, T>): { result: T; ms: number; count: number } {
  let ms = 0;
  for (let count = 1; ; count++) {
    const spentMs = processorWatch();
    const { done, value } = steps.next();
    ms = Math.max(ms, spentMs());
    if (done) return { result: value, ms, count };
  }
}

/** The most processor time that one turn of the event loop takes while `work` is done. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let ms = 0;
  let isDone = false;
  let spentMs = processorWatch();
  const turn = (): void => {
    ms = Math.max(ms, spentMs());
    spentMs = processorWatch();
    if (!isDone) setImmediate(turn);
  };
  turn();
  await work();
  isDone = true;
  return ms;
}

describe('a definition of hostile size', () => {
  it('stops nobody else, when it is written and when an object first meets its rules', async () => {
    const server = await startTestServer();
    const client = new RawClient(server, server.admin);
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const rules = Array.from({ length: 2_000 }, (_, i) => ({ rule: `self.a < ${i} + 10` }));
    const properties = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, i) => [`p${i}`, { type: 'string', maxLength: 5 } as Schema]),
    );
    const schemas = [
      specSchema({ a: { type: 'integer' } }, { 'x-kubernetes-validations': rules }),
      specSchema(properties),
    ];
    for (const [index, schema] of schemas.entries()) {
      const body = Buffer.from(JSON.stringify(definitionOf(`Big${index}`, [version('v1', { schema })])));
      const ms = await longestTurn(async () => {
        const { code, text } = await client.send(path, { body, headers: { 'content-type': 'application/json' } });
        assert.equal(code, 201, text);
        await eventually(async () => {
          const { code } = await client.send(`/apis/example.com/v1/big${index}s`);
          assert.equal(code, 200);
        });
      });
      assert.ok(ms < 250, `${ms} ms`);
    }
    const object = { apiVersion: 'example.com/v1', kind: 'Big0', metadata: { name: 'a' }, spec: { a: 1 } };
    const ms = await longestTurn(async () => {
      const { code, text } = await client.send('/apis/example.com/v1/namespaces/default/big0s', { body: object });
      assert.equal(code, 201, text);
    });
    assert.ok(ms < 250, `${ms} ms`);
    client.close();
    await server.close();
  });

  const checked = (schema: Schema): ReturnType<typeof longestStep> => {
    const definition = definitionOf('Big', [version('v1', { schema })]) as unknown as CustomResourceDefinition;
    const { spec } = definition;
    const names = { ...spec.names, singular: 'big', listKind: 'BigList' };
    return longestStep(validateInSteps({ ...definition, spec: { ...spec, names, conversion: { strategy: 'None' } } }));
  };

  it('with thousands of rules is checked in short steps, and costs nothing to serve', () => {
    const rules = Array.from({ length: 2_000 }, (_, i) => ({ rule: `self.a > ${i} || self.b.startsWith('x${i}')` }));
    const schema = specSchema(
      { a: { type: 'integer' }, b: { type: 'string', maxLength: 10 } },
      { 'x-kubernetes-validations': rules },
    );
    const { result, ms, count } = checked(schema);
    assert.deepEqual(result, []);
    assert.ok(count > 50, String(count));
    assert.ok(ms < 100, `${ms} ms`);
    const spentMs = processorWatch();
    const tree = rulesOf(schema);
    assert.ok(spentMs() < 50);
    assert.equal(evaluateRules(tree, { spec: { a: 0, b: 'y' } }, undefined).length, 2_000);
  });

  it('with thousands of properties is checked in steps, whatever rule is among them', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, i) => [`p${i}`, { type: 'string', maxLength: 5 } as Schema]),
    );
    for (const more of [{}, { 'x-kubernetes-validations': [{ rule: "self.p1 == 'a'" }] }]) {
      const { result, ms } = checked(specSchema(properties, more));
      assert.deepEqual(result, []);
      assert.ok(ms < 250, `${ms} ms`);
    }
  });

  it('of which a deep part has a rule is not walked once for each level', () => {
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`p${i}`, { type: 'string' } as Schema]));
    let schema: Schema = {
      type: 'object',
      properties: wide,
      'x-kubernetes-validations': [{ rule: 'has(self.p1)' }],
    };
    for (let i = 0; i < 80; i++) schema = { type: 'array', maxItems: 1, items: schema };
    const { ms } = checked(specSchema({ deep: schema }));
    assert.ok(ms < 250, `${ms} ms`);
  });
});
