import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from './cluster/failure.js';
import { patchHere } from './local-patch.js';
import { TypeTables } from './type-tables.js';

const types = new TypeTables();
const object = (apiVersion: string, kind: string, spec: object = {}): Parameters<typeof patchHere>[0] => ({
  apiVersion,
  kind,
  metadata: { name: 'a' },
  spec,
});
const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error.message;
  }
  throw new Error('the patch was accepted');
};

test('a list merges by the key that its field has in its type, not by what fields of that name are elsewhere', () => {
  const ports = [{ port: 80, containerPort: 1 }, { port: 81 }];
  const patch = { spec: { ports: [{ port: 81, name: 'b' }] } };
  assert.deepEqual(patchHere(object('v1', 'Service', { ports }), patch, 'strategic', types)['spec'], {
    ports: [ports[0], { port: 81, name: 'b' }],
  });
  const tolerations = [{ key: 'a', name: 'x' }];
  assert.deepEqual(
    patchHere(object('v1', 'Pod', { tolerations }), { spec: { tolerations: [{ key: 'b' }] } }, 'strategic', types)[
      'spec'
    ],
    { tolerations: [{ key: 'b' }] },
  );
});

test('older versions merge as those that they became', () => {
  const template = (image: string): object => ({ template: { spec: { containers: [{ name: 'a', image }] } } });
  const spec = { template: { spec: { containers: [{ name: 'a', args: ['x'] }] } } };
  const patched = patchHere(
    object('extensions/v1beta1', 'Deployment', spec),
    { spec: template('i') },
    'strategic',
    types,
  );
  assert.deepEqual(patched['spec'], {
    template: { spec: { containers: [{ name: 'a', args: ['x'], image: 'i' }] } },
  });
});

test('a group that only begins like one of Kubernetes has custom resources, which take no strategic merge patch', () => {
  assert.equal(types.typeOf({ apiVersion: 'scheduling.sigs.k8s.io/v1', kind: 'PriorityClass' }), undefined);
  assert.equal(
    refusal(() => patchHere(object('batch.volcano.sh/v1alpha1', 'Job'), {}, 'strategic', types)),
    'strategic merge patch is not supported for batch.volcano.sh/v1alpha1, Kind=Job locally, try --type merge',
  );
  const custom = object('batch.volcano.sh/v1alpha1', 'Job', { a: [1] });
  assert.deepEqual(patchHere(custom, { spec: { a: [2] } }, 'merge', types)['spec'], { a: [2] });
});

test('what does not apply, or leaves no object, is a failure with the reason alone', () => {
  const json = (operation: object): string =>
    refusal(() => patchHere(object('v1', 'Pod', { containers: [] }), [operation], 'json', types));
  assert.equal(json({ op: 'test', path: '/kind', value: 'x' }), 'testing value /kind failed: test failed');
  assert.equal(
    json({ op: 'replace', path: '/spec/containers/0', value: 1 }),
    'Object to be patched is missing field (/spec/containers/0: missing value)',
  );
  assert.equal(
    json({ op: 'remove', path: '/kind' }),
    `Object 'Kind' is missing in '{"apiVersion":"v1","metadata":{"name":"a"},"spec":{"containers":[]}}'`,
  );
  assert.match(
    refusal(() => patchHere(object('v1', 'Pod'), [], 'merge', types)),
    /^json: cannot unmarshal array into Go value/,
  );
});
