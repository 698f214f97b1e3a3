import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../shared/api/generated/types.js';
import { podDefinition } from '../kinds/pod.js';
import { meta } from '../kinds/testing.js';
import { equal } from './equality.js';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, maskTrailingDash } from './names.js';
import { processorWatch } from '../../shared/clock/processor-time.js';

const MANY = 150_000;
const many = <T>(make: (index: number) => T): T[] => Array.from({ length: MANY }, (_, index) => make(index));

test('lists as long as a request can be are checked in a moment, good or bad', () => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta('p', { finalizers: many((index) => `a.b/f${index}`) }),
    spec: {
      volumes: many((index) => ({ name: `v${index}` })),
      containers: [
        {
          name: 'c',
          image: 'i',
          volumeMounts: many((index) => ({ name: `v${index}`, mountPath: `/${index}` })),
          env: many(() => ({ name: '=' })),
          ports: many((index) => ({ containerPort: 1, hostPort: 1 + (index % 60_000) })),
        },
      ],
      tolerations: many((index) => ({ key: `k${index}`, operator: 'Exists' })),
      schedulingGates: many(() => ({ name: 'g' })),
    },
  };
  const spentMs = processorWatch();
  podDefinition.strategy.defaults?.(pod);
  const errors = podDefinition.strategy.validate?.(pod) ?? [];
  assert.ok(errors.length >= 2 * MANY);
  podDefinition.strategy.validateUpdate?.(structuredClone(pod), pod);
  // Linear work takes about a second on a slow machine; quadratic work would take minutes.
  assert.ok(spentMs() < 20_000);
});

test('long and nasty names do not stall the patterns', () => {
  const spentMs = processorWatch();
  for (const check of [isDns1123Label, isDns1123Subdomain, isQualifiedName])
    for (const name of [
      'a'.repeat(1_000_000),
      `${'a-'.repeat(500_000)}!`,
      `${'a.'.repeat(500_000)}!`,
      '-'.repeat(1_000_000),
    ])
      assert.ok(check(name).length > 0);
  assert.ok(spentMs() < 5_000);
});

test('a generated name may have a dash that the suffix follows', () => {
  assert.deepEqual(isDns1123Subdomain(maskTrailingDash('web-')), []);
  assert.notDeepEqual(isDns1123Subdomain('web-'), []);
});

test('what the encoding of the original leaves out is equal to its zero', () => {
  assert.equal(equal({ a: undefined, b: [] }, {}), true);
  assert.equal(equal({ a: false, b: 0, c: '', d: {} }, {}), true);
  assert.equal(equal({ a: { b: 1 } }, { a: { b: 1, c: [] } }), true);
  assert.equal(equal({ a: 1 }, {}), false);
  assert.equal(equal([1, 2], [2, 1]), false);
  assert.equal(equal({ a: [] }, { a: {} }), false);
});
