import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definitions } from '../kinds/index.js';
import { loadSchemas } from '../schema/schemas.js';
import { discoverableResources, unstoredResources } from './discoverable.js';
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  compareVersions,
  wantsAggregated,
} from './documents.js';

const facts = loadSchemas().resourceFacts();
const resources = [
  ...discoverableResources(definitions, facts),
  ...unstoredResources(['authentication.k8s.io/v1/tokenreviews', '/v1/bindings'], facts),
];
interface ApiResource {
  name: string;
  kind: string;
  verbs: string[];
  [field: string]: unknown;
}
const listed = (group: string, version: string): Map<string, ApiResource> => {
  const list = apiResourceList(resources, group, version) as { resources: ApiResource[] };
  return new Map(list.resources.map((resource) => [resource.name, resource]));
};

test('a resource is listed as the original lists it', () => {
  assert.deepEqual(listed('', 'v1').get('pods'), {
    name: 'pods',
    singularName: 'pod',
    namespaced: true,
    kind: 'Pod',
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['po'],
    categories: ['all'],
    storageVersionHash: 'xPOwRZ+Yhw8=',
  });
  assert.ok(!listed('', 'v1').get('namespaces')?.verbs.includes('deletecollection'));
});

test('subresources carry their own kind, and its group where it is another', () => {
  const core = listed('', 'v1');
  assert.deepEqual(core.get('pods/exec'), {
    name: 'pods/exec',
    singularName: '',
    namespaced: true,
    kind: 'PodExecOptions',
    verbs: ['create', 'get'],
  });
  assert.deepEqual(core.get('pods/binding')?.kind, 'Binding');
  assert.deepEqual(listed('apps', 'v1').get('deployments/scale'), {
    name: 'deployments/scale',
    singularName: '',
    namespaced: true,
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
    verbs: ['get', 'patch', 'update'],
  });
  assert.ok(listed('certificates.k8s.io', 'v1').has('certificatesigningrequests/approval'));
});

test('resources that are only created are listed without what is stored', () => {
  assert.deepEqual(listed('authentication.k8s.io', 'v1').get('tokenreviews'), {
    name: 'tokenreviews',
    singularName: 'tokenreview',
    namespaced: false,
    kind: 'TokenReview',
    verbs: ['create'],
  });
});

test('groups are listed without the core, in the order of the original', () => {
  const { groups } = apiGroupList(resources) as { groups: { name: string; preferredVersion: object }[] };
  assert.deepEqual(groups.map(({ name }) => name).slice(0, 3), ['apiregistration.k8s.io', 'apps', 'events.k8s.io']);
  assert.deepEqual(groups[1]?.preferredVersion, { groupVersion: 'apps/v1', version: 'v1' });
  assert.deepEqual(apiGroup(resources, 'apps'), {
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: 'apps',
    versions: ['v1', 'v1beta2', 'v1beta1'].map((version) => ({ groupVersion: `apps/${version}`, version })),
    preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
  });
  assert.equal(apiGroup(resources, 'nope'), undefined);
  assert.equal(apiResourceList(resources, 'apps', 'v9'), undefined);
});

test('stable versions are preferred, then the newest', () => {
  const versions = ['v1alpha1', 'foo', 'v1', 'v2beta1', 'v10', 'v2', 'v1beta2', 'bar'];
  assert.deepEqual(versions.sort(compareVersions), ['v10', 'v2', 'v1', 'v2beta1', 'v1beta2', 'v1alpha1', 'bar', 'foo']);
});

test('the aggregated form holds everything of a root at once', () => {
  const core = aggregatedDiscovery(resources, 'api', 'v2') as {
    apiVersion: string;
    items: { metadata: { name: string }; versions: { resources: { resource: string }[] }[] }[];
  };
  assert.equal(core.apiVersion, 'apidiscovery.k8s.io/v2');
  assert.deepEqual(
    core.items.map(({ metadata }) => metadata.name),
    [''],
  );
  const configMaps = core.items[0]?.versions[0]?.resources.find(({ resource }) => resource === 'configmaps');
  assert.deepEqual(configMaps, {
    resource: 'configmaps',
    responseKind: { group: '', version: 'v1', kind: 'ConfigMap' },
    scope: 'Namespaced',
    singularResource: 'configmap',
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['cm'],
  });
  const others = aggregatedDiscovery(resources, 'apis', 'v2beta1') as { items: { metadata: { name: string } }[] };
  assert.equal(others.items[0]?.metadata.name, 'apiregistration.k8s.io');
});

test('the aggregated form is given to those who ask for it first', () => {
  const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const v2beta1 = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';
  assert.equal(wantsAggregated(`${v2},${v2beta1},application/json`), 'v2');
  assert.equal(wantsAggregated(`${v2beta1},application/json`), 'v2beta1');
  assert.equal(wantsAggregated('application/vnd.kubernetes.protobuf,application/json'), undefined);
  assert.equal(wantsAggregated(`application/json,${v2}`), undefined);
  assert.equal(wantsAggregated(undefined), undefined);
});
