import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject, type JsonObject } from '../../shared/api/json.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { jsonMergePatch } from '../../shared/patch/json-merge-patch.js';
import { jsonPatch } from '../../shared/patch/json-patch.js';
import { strategicMergePatch } from '../../shared/patch/strategic-merge-patch.js';
import type { ManagedFieldsEntry } from '../apply/managed-fields.js';
import { serverSideApply } from '../apply/server-side-apply.js';
import { trackUpdate } from '../apply/track-update.js';
import { decodePatched } from '../decode/decode.js';
import { loadSchemas } from '../schema/schemas.js';
import { MergeSchemas } from './merge-schemas.js';

const type = loadSchemas().type('io.k8s.api.core.v1.Pod');
const schema = new MergeSchemas().of(type);
const expected = { apiVersion: 'v1', kind: 'Pod' };
const manager = { manager: 'm', apiVersion: 'v1', subresource: '', time: '2026-01-01T00:00:00Z' };
const pod = (): JsonObject => ({
  ...expected,
  metadata: { name: 'p', labels: { a: '1' }, finalizers: ['f'] },
  spec: {
    containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }],
    tolerations: [{ key: 'k' }],
    volumes: [{ name: 'v', emptyDir: {} }],
  },
});
const live = {
  ...pod(),
  metadata: { ...(pod()['metadata'] as JsonObject), managedFields: trackUpdate(undefined, pod(), type, manager) },
};

/** Runs it and demands an answer within a second of processor time: a value, or a refusal that is the client's fault. */
function answers<T>(run: () => T): T | undefined {
  const before = process.cpuUsage();
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof StatusError && error.code >= 400 && error.code < 500, String(error));
    return undefined;
  } finally {
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 1_000_000, `took ${(user + system) / 1000} ms`);
  }
}

const names =
  'spec metadata containers name ports labels finalizers volumes managedFields status constructor apiVersion kind ' +
  'fieldsV1 conditions type f:spec . k:{"name":"c"} $patch $retainKeys $setElementOrder/containers ' +
  '$deleteFromPrimitiveList/finalizers __proto__';
const key = fc.constantFrom(...names.split(' '));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      null,
      true,
      0,
      1.5,
      2 ** 53,
      '',
      'c',
      'v1',
      'Pod',
      'delete',
      'replace',
      'merge',
      'FieldsV1',
      'Update',
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map(
      (entries) =>
        // As JSON.parse makes them: __proto__ is an own key.
        JSON.parse(
          `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${JSON.stringify(item)}`).join(',')}}`,
        ) as unknown,
    ),
  ),
}));
const object = fc.tuple(value, value, value).map(([spec, metadata, extra]): JsonObject => ({
  ...expected,
  spec,
  metadata,
  ...(isObject(extra) ? extra : {}),
}));

test('no patch gets more than a refusal out of the decoder', () => {
  const run = (patched: unknown): void => {
    answers(
      () =>
        isObject(patched) && decodePatched(patched, '', [], { expected, structure: type, fieldValidation: 'Strict' }),
    );
  };
  fc.assert(
    fc.property(fc.oneof(value, object), (patch) => {
      run(answers(() => strategicMergePatch(pod(), patch, schema)));
      run(answers(() => jsonMergePatch(pod(), patch)));
    }),
    { numRuns: 1500 },
  );
  assert.equal(({} as JsonObject)['spec'], undefined);
});

test('no JSON patch gets more than a refusal', () => {
  const path = fc.array(fc.oneof(key, fc.constantFrom('0', '-', '-1', '99', '~', '~2', '')), { maxLength: 5 });
  const pointer = path.map((parts) =>
    parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
  );
  const op = fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'nope');
  const operation = fc.oneof(fc.record({ op, path: pointer, from: pointer, value }), value);
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), (patch) => {
      answers(() => jsonPatch(pod(), patch));
    }),
    { numRuns: 1500 },
  );
});

test('no configuration and no managedFields get more than a refusal out of apply', () => {
  fc.assert(
    fc.property(object, value, fc.boolean(), (config, entries, force) => {
      const applied = answers(() => serverSideApply(live, config, type, { ...manager, force }));
      assert.ok(!applied || isObject(applied.object));
      const metadata = { name: 'p', managedFields: entries as readonly ManagedFieldsEntry[] };
      answers(() => trackUpdate(live, { ...pod(), metadata }, type, manager));
      answers(() => trackUpdate({ ...pod(), metadata }, pod(), type, manager));
      answers(() => serverSideApply({ ...pod(), metadata }, pod(), type, { ...manager, force }));
    }),
    { numRuns: 1000 },
  );
});

test('large lists and maps merge in time', () => {
  const many = (count: number): JsonObject[] =>
    Array.from({ length: count }, (_, i) => ({ name: `c${i}`, image: 'i' }));
  const labels = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`l${i}`, 'x']));
  const large = { ...expected, metadata: { name: 'p', labels }, spec: { containers: many(5_000) } };
  const reversed = many(6_000).reverse();
  const order = reversed.map(({ name }) => ({ name }));
  const ordered = answers(() =>
    strategicMergePatch(large, { spec: { containers: reversed, '$setElementOrder/containers': order } }, schema),
  );
  assert.deepEqual((ordered?.['spec'] as JsonObject | undefined)?.['containers'], reversed);
  answers(() => strategicMergePatch(large, { spec: { containers: many(6_000) } }, schema));
  answers(() => serverSideApply(large, large, type, { ...manager, force: true }));
  answers(() => trackUpdate(undefined, large, type, manager));
});

test('what is nested as deep as a body may be can be patched and compared', () => {
  const nested = JSON.parse(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`) as JsonObject;
  answers(() => strategicMergePatch(pod(), nested, schema));
  answers(() => jsonMergePatch(nested, nested));
  answers(() => trackUpdate(undefined, { ...pod(), spec: nested }, type, manager));
  const set = JSON.parse(`${'{"f:a":'.repeat(500)}{}${'}'.repeat(500)}`) as JsonObject;
  const entry = { manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: set };
  const metadata = { name: 'p', managedFields: [entry] };
  answers(() => trackUpdate(live, { ...pod(), metadata }, type, manager));
});
