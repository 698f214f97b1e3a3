import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock/fake-clock.js';
import { DiscoveryReader, parseDiscovery, preferredResources, type GroupDiscoveryList } from './discovery.js';
import { startScriptedServer } from './testing/scripted-server.js';

const resource = (name: string, kind: string): object => ({
  resource: name,
  responseKind: { group: '', version: '', kind },
  scope: 'Namespaced',
  verbs: ['get', 'list'],
});
const core: GroupDiscoveryList = {
  items: [
    {
      metadata: {},
      versions: [
        {
          version: 'v1',
          resources: [
            {
              resource: 'pods',
              responseKind: { kind: 'Pod' },
              scope: 'Namespaced',
              singularResource: 'pod',
              verbs: ['get'],
              shortNames: ['po'],
              categories: ['all'],
              subresources: [{ subresource: 'log' }],
            },
          ],
        },
      ],
    },
  ],
};
const groups = {
  items: [
    {
      metadata: { name: 'autoscaling' },
      versions: [
        { version: 'v2', resources: [resource('horizontalpodautoscalers', 'HorizontalPodAutoscaler')] },
        { version: 'v1', resources: [resource('horizontalpodautoscalers', 'HorizontalPodAutoscaler')] },
      ],
    },
    { metadata: { name: 'metrics.k8s.io' }, versions: [{ version: 'v1beta1', freshness: 'Stale' }] },
  ],
} as GroupDiscoveryList;

test('resources come with their names in the order of the server, and versions without an answer as failures', () => {
  const { resources, failures } = parseDiscovery([core, groups]);
  assert.deepEqual(
    resources.map((found) => `${found.resource.apiVersion} ${found.resource.kind}`),
    ['v1 Pod', 'autoscaling/v2 HorizontalPodAutoscaler', 'autoscaling/v1 HorizontalPodAutoscaler'],
  );
  const { resource: _, ...names } = resources[0] ?? assert.fail();
  const expected = { singular: 'pod', shortNames: ['po'], categories: ['all'], verbs: ['get'], subresources: ['log'] };
  assert.deepEqual(names, expected);
  assert.deepEqual([...failures.keys()], ['metrics.k8s.io/v1beta1']);
});

test('of several versions of a resource the preferred one is chosen', () => {
  const preferred = preferredResources(parseDiscovery([core, groups])).map((found) => found.resource.apiVersion);
  assert.deepEqual(preferred, ['v1', 'autoscaling/v2']);
});

test('what has not changed is asked for by its ETag, and not sent again', async (t) => {
  let served = groups;
  const server = await startScriptedServer((request) => {
    const body = request.url.pathname === '/api' ? core : served;
    const etag = `"${JSON.stringify(body).length}"`;
    const isKnown = request.headers['if-none-match'] === etag;
    request.response.writeHead(isKnown ? 304 : 200, { etag });
    request.response.end(isKnown ? undefined : JSON.stringify(body));
  });
  t.after(() => server.close());
  const reader = new DiscoveryReader(server.client({ clock: new FakeClock() }));
  const { signal } = new AbortController();
  const first = await reader.read(signal);
  assert.deepEqual(await reader.read(signal), first);
  assert.ok(server.requests.slice(2).every(({ headers }) => headers['if-none-match'] !== undefined));
  served = { items: [] };
  assert.equal((await reader.read(signal)).resources.length, 1);
});
