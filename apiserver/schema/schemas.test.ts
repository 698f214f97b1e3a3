import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListType, StructType } from './schema-type.js';
import { loadSchemas } from './schemas.js';

const schemas = loadSchemas();
const field = (definition: string, name: string) => {
  const found = schemas.type(definition).fields.get(name);
  assert.ok(found, `${definition}.${name}`);
  return found;
};

test('fields carry how they merge', () => {
  const containers = field('io.k8s.api.core.v1.PodSpec', 'containers');
  assert.deepEqual(containers.patchStrategies, ['merge']);
  assert.equal(containers.patchMergeKey, 'name');
  const ports = field('io.k8s.api.core.v1.Container', 'ports').type as ListType;
  assert.deepEqual([ports.listType, ports.keys], ['map', ['containerPort', 'protocol']]);
  assert.deepEqual(ports.keyDefaults, { protocol: 'TCP' });
  assert.equal((field('io.k8s.api.apps.v1.DeploymentSpec', 'selector').type as StructType).mapType, 'atomic');
});

test('a field may be granular where its type is atomic', () => {
  const claim = field('io.k8s.api.core.v1.PersistentVolumeSpec', 'claimRef').type as StructType;
  assert.equal(claim.mapType, 'granular');
  assert.equal(schemas.type('io.k8s.api.core.v1.ObjectReference').mapType, 'atomic');
});

test('types that refer to themselves compile', () => {
  const definition = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';
  assert.equal(field(definition, 'not').type, schemas.type(definition));
});

test('an unknown definition is a mistake of ours', () => {
  assert.throws(() => schemas.type('io.k8s.api.core.v1.Nope'), /no schema is known for io\.k8s\.api\.core\.v1\.Nope/);
  assert.equal(schemas.raw('constructor'), undefined);
});
