import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toPodInfo } from './pod-info.js';
import { claimVolume, node, pod } from './testing/objects.js';
import { World } from './testing/world.js';

const using = (claim: string, name = 'p') => pod(name, { volumes: [claimVolume(claim)] });

test('a pod waits for a claim that is missing, lost, on its way out or not bound', () => {
  const world = new World([node('a'), node('b')]);
  const { volumes } = world;
  assert.equal(world.place(using('data')), '0/2 nodes are available: persistentvolumeclaim "data" not found.');
  assert.equal(world.preempt(using('data')), '0/2 nodes are available: 2 Preemption is not helpful for scheduling.');
  volumes.claim('data');
  const unbound = '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
  assert.equal(world.place(using('data')), unbound);
  volumes.claim('data', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  assert.equal(world.place(using('data')), '0/2 nodes are available: persistentvolumeclaim "data" is being deleted.');
  volumes.claim('data', { volumeName: 'v' });
  const lost = volumes.claims.get('default/data');
  assert.ok(lost);
  volumes.claims.set({ ...lost, status: { phase: 'Lost' } });
  assert.match(world.place(using('data')), /claim "data" bound to non-existent persistentvolume "v"\./);
});

test("an ephemeral volume's claim must be there and the pod's own", () => {
  const world = new World([node('a')]);
  const p = pod('p', { volumes: [{ name: 'scratch', ephemeral: {} }] });
  assert.match(
    world.place(p),
    /: waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"\./,
  );
  world.volumes.claim('p-scratch', { volumeName: 'v' });
  world.volumes.volume('v');
  assert.match(world.place(p), /: PVC default\/p-scratch was not created for pod default\/p \(pod is not owner\)\./);
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: p.metadata.uid, controller: true };
  world.volumes.claim('p-scratch', { volumeName: 'v' }, { ownerReferences: [owner] });
  assert.equal(world.place(p), 'a');
});

test('a bound volume draws the pod to where it can be used', () => {
  const world = new World([node('a'), node('b', { labels: { 'topology.kubernetes.io/zone': 'z1' } })]);
  world.volumes.claim('data', { volumeName: 'v' });
  assert.match(
    world.place(using('data')),
    /2 node\(s\) unavailable due to one or more pvc\(s\) bound to non-existent pv\(s\)/,
  );
  world.volumes.volume('v', { node: 'b' });
  assert.equal(world.place(using('data')), 'b');
  world.volumes.volume('v', { node: 'c' });
  assert.match(world.place(using('data')), /2 node\(s\) didn't match PersistentVolume's node affinity/);
  world.volumes.volume('v', { labels: { 'topology.kubernetes.io/zone': 'z2' } });
  assert.equal(world.place(using('data')), 'a', 'b is in another zone');
});

test('of a ReadWriteOncePod claim there is one user', () => {
  const world = new World([node('a'), node('b')]);
  world.volumes.claim('data', { volumeName: 'v', accessModes: ['ReadWriteOncePod'] });
  world.volumes.volume('v');
  const first = world.run(using('data', 'first'));
  assert.match(
    world.place(using('data')),
    /: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode\./,
  );
  const urgent = pod('urgent', { priority: 1, volumes: [claimVolume('data')] });
  assert.equal(world.preempt(urgent), `${first}: first`);
  world.table.removePod('default/first');
  assert.match(world.place(using('data')), /^[ab]$/);
});

test('a claim that waits for its consumer gets the smallest volume of the node that is large enough', () => {
  const world = new World([node('a'), node('b')]);
  const { volumes } = world;
  volumes.delayedClass('local');
  volumes.claim('data', { storageClassName: 'local' });
  assert.match(world.place(using('data')), /: 2 node\(s\) didn't find available persistent volumes to bind\./);
  for (const [name, size] of [
    ['large', '9Gi'],
    ['right', '2Gi'],
    ['small', '500Mi'],
  ])
    volumes.volume(name ?? '', { node: 'b', size: size ?? '' });
  const placement = world.placer.place(toPodInfo(using('data')));
  assert.ok('node' in placement);
  assert.deepEqual(
    [placement.node, placement.volumes?.bindings.map(({ volume }) => volume.metadata.name)],
    ['b', ['right']],
  );
  volumes.claim('other', { storageClassName: 'local' });
  const decision = placement.volumes;
  assert.ok(decision);
  volumes.catalog.promise(decision);
  const next = world.placer.place(toPodInfo(using('other', 'q')));
  assert.ok('node' in next);
  assert.deepEqual(
    next.volumes?.bindings.map(({ volume }) => volume.metadata.name),
    ['large'],
    'right is promised',
  );
});

test('a provisioner is told the node, where the class allows it', () => {
  const world = new World([node('a'), node('b', { labels: { zone: 'z' } })]);
  const { volumes } = world;
  const only = [{ matchLabelExpressions: [{ key: 'zone', values: ['z'] }] }];
  volumes.delayedClass('fast', { provisioner: 'example.com/disk', allowedTopologies: only });
  volumes.claim('data', { storageClassName: 'fast' });
  const placement = world.placer.place(toPodInfo(using('data')));
  assert.ok('node' in placement);
  assert.deepEqual([placement.node, placement.volumes?.provisions.length], ['b', 1]);
  volumes.claim('data', { storageClassName: 'fast' }, { annotations: { 'volume.kubernetes.io/selected-node': 'c' } });
  assert.match(world.place(using('data')), /: 2 node\(s\) didn't find available persistent volumes to bind\./);
});
