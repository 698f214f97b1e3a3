import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aggregatedDiscovery } from '../discovery/documents.js';
import { builtInOrder } from '../discovery/priorities.js';
import { readResourceList } from './remote-discovery.js';
import { withRemoteUser } from './remote-user.js';

interface Told {
  readonly responseKind: object;
  readonly scope: string;
  readonly subresources: readonly { readonly subresource: string }[];
}

const group = 'custom.metrics.k8s.io';
const version = 'v1beta1';

test('metrics of what others serve are told as subresources of a resource without a kind', () => {
  const kind = 'MetricValueList';
  const list = {
    kind: 'APIResourceList',
    resources: [
      { name: 'pods/http_requests', namespaced: true, kind, verbs: ['get'] },
      { name: 'namespaces/queue_length', namespaced: false, kind, verbs: ['get'] },
      { name: 'pods/errors', namespaced: true, kind, verbs: ['get'] },
    ],
  };
  const resources = readResourceList(list, group, version);
  const elsewhere = { versions: [{ group, version, resources, isStale: false }], order: builtInOrder };
  const { items } = aggregatedDiscovery([], 'apis', 'v2', elsewhere) as {
    items: { versions: { resources: Told[] }[] }[];
  };
  const [pods, namespaces] = items[0]?.versions[0]?.resources ?? [];
  assert.deepEqual(pods?.responseKind, { group: '', version: '', kind: '' });
  assert.equal(pods?.scope, 'Namespaced');
  assert.deepEqual(
    pods?.subresources.map(({ subresource }) => subresource),
    ['http_requests', 'errors'],
  );
  assert.equal(namespaces?.scope, 'Cluster');
});

test('an answer that is no list of resources is a failure, and odd entries do no harm', () => {
  for (const answer of [undefined, [], {}, { kind: 'APIResourceList' }, { kind: 'Status', resources: [] }])
    assert.throws(() => readResourceList(answer, group, version), /no APIResourceList/);
  const odd = { kind: 'APIResourceList', resources: [null, 3, {}, { name: 'things', verbs: 'get', kind: {} }] };
  assert.deepEqual(
    readResourceList(odd, group, version).map(({ resource, verbs, kind }) => [resource, verbs, kind]),
    [['things', [], '']],
  );
});

test('names of users and their extras travel in headers, whatever they hold', () => {
  const headers = withRemoteUser(
    { accept: 'x', 'x-remote-user': 'evil', 'x-remote-group': 'system:masters' },
    { name: 'jörg\r\nx-evil: 1', groups: ['a, b', 'c'], extra: { 'Acme.com/Größe': ['1', '2'] } },
  );
  assert.deepEqual(headers, {
    accept: 'x',
    'X-Remote-User': Buffer.from('jörg  x-evil: 1').toString('latin1'),
    'X-Remote-Group': ['a, b', 'c'],
    'X-Remote-Extra-acme.com%2Fgr%C3%B6%C3%9Fe': ['1', '2'],
  });
});
