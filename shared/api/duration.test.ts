import assert from 'node:assert/strict';
import { test } from 'node:test';
import { humanAge, humanDuration } from './duration.js';
import { fnv1a32, safeEncode, shortHash, stableJson } from './hash.js';
import { IntOrStringError, resolveIntOrPercent } from './int-or-string.js';
import { controllerOf, controllerReference, isControlledBy } from './owner.js';
import { findUntolerated, tolerates, tolerationSeconds } from './taint.js';
import { pods, replicasets } from './generated/resources.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test('durations print as kubectl prints them', () => {
  const table: [number, string][] = [
    [-3 * SECOND, '<invalid>'],
    [-1 * SECOND, '0s'],
    [0, '0s'],
    [119 * SECOND, '119s'],
    [2 * MINUTE, '2m'],
    [3 * MINUTE + 20 * SECOND, '3m20s'],
    [10 * MINUTE + 5 * SECOND, '10m'],
    [179 * MINUTE, '179m'],
    [3 * HOUR, '3h'],
    [3 * HOUR + 5 * MINUTE, '3h5m'],
    [8 * HOUR + 5 * MINUTE, '8h'],
    [47 * HOUR, '47h'],
    [2 * DAY, '2d'],
    [5 * DAY + 3 * HOUR, '5d3h'],
    [8 * DAY + 3 * HOUR, '8d'],
    [729 * DAY, '729d'],
    [2 * 365 * DAY, '2y'],
    [2 * 365 * DAY + 33 * DAY, '2y33d'],
    [9 * 365 * DAY + 33 * DAY, '9y'],
  ];
  for (const [duration, text] of table) assert.equal(humanDuration(duration), text);
  assert.equal(humanAge(undefined, 0), '<unknown>');
  assert.equal(humanAge('1970-01-01T00:00:00Z', 90 * SECOND), '90s');
});

test('hashes are FNV-1a in letters that spell no words', () => {
  assert.equal(fnv1a32(''), 0x811c9dc5);
  assert.equal(fnv1a32('foobar'), 0xbf9cf968);
  assert.equal(safeEncode('0123456789'), '456789bcdf');
  assert.equal(stableJson({ b: 1, a: { d: undefined, c: [{ z: 1, y: 2 }] } }), '{"a":{"c":[{"y":2,"z":1}]},"b":1}');
  assert.equal(shortHash({ a: 1, b: 2 }), shortHash({ b: 2, a: 1 }));
  assert.notEqual(shortHash({ a: 1 }), shortHash({ a: 1 }, 1));
});

test('percentages resolve up or down', () => {
  assert.equal(resolveIntOrPercent('25%', 10, 'up'), 3);
  assert.equal(resolveIntOrPercent('25%', 10, 'down'), 2);
  assert.equal(resolveIntOrPercent(4, 10, 'down'), 4);
  for (const text of ['25', '-1%', '1.5%', '%'])
    assert.throws(() => resolveIntOrPercent(text, 1, 'up'), IntOrStringError);
});

test('an object has one controller', () => {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'rs', uid: 'u1', resourceVersion: '1', creationTimestamp: '' },
  };
  const reference = controllerReference(owner, replicasets);
  assert.deepEqual(reference, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'rs',
    uid: 'u1',
    controller: true,
    blockOwnerDeletion: true,
  });
  const owned = {
    metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u0' }, reference] },
  };
  assert.equal(controllerOf(owned), reference);
  assert.equal(isControlledBy(owned, owner), true);
  assert.equal(pods.apiVersion, 'v1');
});

test('tolerations answer taints by key, value and effect', () => {
  const taint = { key: 'a', value: 'x', effect: 'NoExecute' };
  assert.equal(tolerates({ key: 'a', value: 'x' }, taint), true);
  assert.equal(tolerates({ key: 'a', operator: 'Equal', value: 'y' }, taint), false);
  assert.equal(tolerates({ operator: 'Exists' }, taint), true);
  assert.equal(tolerates({ operator: 'Exists', effect: 'NoSchedule' }, taint), false);
  assert.equal(tolerates({ key: 'b', operator: 'Exists' }, taint), false);
  assert.equal(
    tolerates({ key: 'n', operator: 'Gt', value: '5' }, { key: 'n', value: '6', effect: 'NoSchedule' }),
    true,
  );
  assert.equal(findUntolerated([taint], [], ['NoSchedule']), undefined);
  assert.equal(findUntolerated([taint], [], ['NoExecute']), taint);
  assert.equal(tolerationSeconds(taint, []), 0);
  assert.equal(tolerationSeconds(taint, [{ operator: 'Exists' }]), undefined);
  assert.equal(
    tolerationSeconds(taint, [
      { operator: 'Exists', tolerationSeconds: 300 },
      { key: 'a', value: 'x', tolerationSeconds: 20 },
    ]),
    20,
  );
});
