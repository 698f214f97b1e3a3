import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeContinue, encodeContinue } from './continue-token.js';
import { EncodedObjects, type SelectableFields } from './cached-object.js';
import { fieldIndex, WatchCache, type CacheIndex } from './watch-cache.js';

const prefix = '/registry/core/pods/';
const makeCache = (): WatchCache =>
  new WatchCache({
    prefix,
    encoded: new EncodedObjects(),
    revision: 0,
  });
const byNode: CacheIndex = {
  name: 'node',
  valueOf: ({ object }) => (object as unknown as { node?: string }).node,
};

describe('WatchCache', () => {
  it('looks into each object once, beforehand, and keeps none of them parsed', async () => {
    const cache = makeCache();
    const looks: string[] = [];
    const fields: SelectableFields = {
      node: (object) => {
        looks.push(object.metadata.name ?? '');
        return (object as unknown as { node: string }).node;
      },
    };
    const put = (name: string, revision: number): void => {
      const value = Buffer.from(JSON.stringify({ metadata: { name }, node: 'n1' }));
      cache.apply({ type: 'put', key: `${prefix}a/${name}`, value, revision });
    };
    put('x', 1);
    put('y', 2);
    await cache.lookInto(fields, undefined);
    assert.deepEqual(looks, ['x', 'y']);
    const byField = fieldIndex('node', fields);
    await cache.lookInto(fields, byField);
    assert.equal(cache.byIndex(byField, 'n1').length, 2);
    // An index that is there looks into each object that comes.
    put('z', 3);
    assert.equal(cache.byIndex(byField, 'n1').length, 3);
    assert.deepEqual(looks, ['x', 'y', 'z']);
    assert.ok(cache.snapshot().every(({ isParsed }) => !isParsed));
    // The fields of a custom kind change with its definition.
    const others: SelectableFields = { node: () => 'other' };
    await cache.lookInto(others, undefined);
    assert.ok(cache.snapshot().every((object) => object.selected(others).fields['node'] === 'other'));
  });

  it('holds what a plain map would, in key order, whatever happens', () => {
    const change = fc.record({
      type: fc.constantFrom('put' as const, 'delete' as const),
      namespace: fc.constantFrom('a', 'a-b', 'b'),
      name: fc.constantFrom('x', 'y', 'z-1', 'z'),
      node: fc.constantFrom('n1', 'n2', undefined),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), fc.constantFrom('a', 'a-b', 'b'), (changes, wanted) => {
        const cache = makeCache();
        const model = new Map<string, string | undefined>();
        changes.forEach(({ type, namespace, name, node }, i) => {
          const key = `${prefix}${namespace}/${name}`;
          // Made somewhere in between, so that it is filled and then kept up to date.
          if (i === 7) cache.byIndex(byNode, 'n1');
          const value = Buffer.from(JSON.stringify({ metadata: { name, namespace }, node }));
          cache.apply({ type, key, value, revision: i + 1 });
          if (type === 'put') model.set(key, node);
          else model.delete(key);
        });
        const keys = [...model.keys()].sort();
        assert.deepEqual(
          cache.snapshot().map(({ key }) => key),
          keys,
        );
        const inNamespace = keys.filter((key) => key.startsWith(`${prefix}${wanted}/`));
        assert.deepEqual(
          cache.snapshot(`${prefix}${wanted}/`).map(({ key }) => key),
          inNamespace,
        );
        assert.deepEqual(
          [...cache.objects(`${prefix}${wanted}/`)].map(({ key }) => key),
          inNamespace,
        );
        const onNode = keys.filter((key) => model.get(key) === 'n1');
        assert.deepEqual(
          cache.byIndex(byNode, 'n1').map(({ key }) => key),
          onNode,
        );
        const [, second] = keys;
        if (second)
          assert.deepEqual(
            cache.snapshot(prefix, second).map(({ key }) => key),
            keys.slice(2),
          );
      }),
    );
  });
});

describe('continue tokens', () => {
  it('come back as they went', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/), (revision, start) => {
        assert.deepEqual(decodeContinue(encodeContinue({ revision, start })), { revision, start });
      }),
    );
  });

  it('are refused when anybody has made them up', () => {
    const forged = [
      { v: 'v2' },
      { v: 'meta.k8s.io/v1', rv: -5, start: 'x' },
      { v: 'meta.k8s.io/v1', rv: 1, start: '../x' },
    ];
    const texts = ['', '%%%', 'bnVsbA', ...forged.map((one) => Buffer.from(JSON.stringify(one)).toString('base64url'))];
    for (const text of texts) assert.throws(() => decodeContinue(text), { code: 400 }, text);
  });
});
