import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configmaps, secrets } from '../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { graphNode, OwnerGraph, type GraphNode } from './owner-graph.js';

function node(resource: Resource, uid: string, ...owners: string[]): GraphNode {
  const ownerReferences = owners.map((owner) => ({ apiVersion: 'v1', kind: 'Secret', name: owner, uid: owner }));
  const object = { apiVersion: 'v1', kind: resource.kind, metadata: { name: uid, uid, ownerReferences } };
  return graphNode(resource as Resource<KubernetesObject>, object as unknown as KubernetesObject);
}

test('a resource that is served no more leaves the graph, and what it owned is looked at again', () => {
  const graph = new OwnerGraph();
  graph.set(node(secrets, 'owner'));
  graph.set(node(configmaps, 'owned', 'owner'));
  graph.set(node(configmaps, 'free'));
  assert.deepEqual(graph.deleteAll(secrets), ['owned']);
  assert.equal(graph.get('owner'), undefined);
  assert.equal(graph.size, 2);
  assert.deepEqual(graph.deleteAll(secrets), []);
});
