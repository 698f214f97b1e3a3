import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MergeSchema } from '../../shared/patch/merge-schema.js';
import { loadSchemas } from '../schema/schemas.js';
import { MergeSchemas } from './merge-schemas.js';

const types = loadSchemas();
const schemas = new MergeSchemas();
const of = (definition: string): MergeSchema => schemas.of(types.type(definition));
const at = (definition: string, path: string): MergeSchema | undefined =>
  path.split('.').reduce((schema: MergeSchema | undefined, name) => schema?.field(name), of(definition));

test('a field tells by what key its list merges, also inside of lists and maps', () => {
  const template = 'spec.template.spec';
  const keyOf = (path: string): string | undefined => at('io.k8s.api.apps.v1.Deployment', path)?.mergeKey;
  assert.equal(keyOf(`${template}.containers`), 'name');
  assert.equal(keyOf(`${template}.containers.ports`), 'containerPort');
  assert.equal(keyOf(`${template}.containers.volumeMounts`), 'mountPath');
  assert.equal(keyOf(`${template}.topologySpreadConstraints`), 'topologyKey');
  assert.equal(at('io.k8s.api.core.v1.ServiceSpec', 'ports')?.mergeKey, 'port');
  assert.deepEqual(
    ['tolerations', 'containers.envFrom', 'containers.args'].map(
      (path) => at('io.k8s.api.apps.v1.Deployment', `${template}.${path}`)?.isMergedList,
    ),
    [false, false, false],
  );
  assert.deepEqual(
    [at('io.k8s.api.core.v1.Pod', 'metadata.finalizers')].map((field) => [field?.isMergedList, field?.mergeKey]),
    [[true, undefined]],
  );
  assert.equal(at('io.k8s.api.core.v1.Pod', 'metadata.labels.any')?.isMergedList, false);
  assert.equal(at('io.k8s.api.core.v1.Pod', 'spec.nope'), undefined);
});

test('what was asked for before is the same schema, however deep a type is nested in itself', () => {
  const path = Array.from({ length: 500 }, () => 'properties.x').join('.');
  const definition = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';
  const deep = at(definition, path);
  assert.ok(deep);
  assert.equal(deep.field('properties'), of(definition).field('properties'));
  assert.equal(of(definition), of(definition));
});
