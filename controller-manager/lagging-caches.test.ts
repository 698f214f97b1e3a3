import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { configmaps, namespaces, nodes, pods, secrets, serviceaccounts } from '../shared/api/generated/resources.js';
import type { Pod } from '../shared/api/generated/types.js';
import { InformerFactory } from '../shared/cache/informer-factory.js';
import type { Client } from '../shared/client/client.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import type { HttpsClient } from '../shared/client/https-client.js';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { silentLog } from '../shared/log/log.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import type { ControllerContext, Runnable } from './context.js';
import { namespaceController } from './namespace/namespace-controller.js';
import { taintEviction } from './node/taint-eviction.js';
import { tokenSecretController } from './serviceaccount/token-secret-controller.js';

type Snapshot = Awaited<ReturnType<Client['list']>>;

/** A connection on which the watch of some resources tells nothing new: their caches stay as the snapshots are. */
function lagging(client: Client, snapshots: ReadonlyMap<object, Snapshot>): Client {
  const held = (resource: object): boolean => snapshots.has(resource);
  return new Proxy(client, {
    get(target, name) {
      if (name === 'list') {
        return (resource: never, options: never) =>
          held(resource) ? Promise.resolve(structuredClone(snapshots.get(resource))) : target.list(resource, options);
      }
      if (name === 'watch') {
        return (resource: never, options?: { signal?: AbortSignal }) =>
          held(resource) ? silence(options?.signal) : target.watch(resource, options);
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function silence(signal: AbortSignal | undefined): AsyncIterable<never> {
  const next = async (): Promise<IteratorReturnResult<undefined>> => {
    await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

describe('a controller whose cache lags behind the server', () => {
  let server: TestServer;
  let admin: HttpsClient;
  before(async () => {
    server = await startTestServer();
    admin = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  });
  after(async () => {
    admin.close();
    await server.close();
  });

  /** Runs a controller until `seen` does not throw any more, and lets it end what it is at. */
  async function play(
    snapshots: ReadonlyMap<object, Snapshot>,
    build: (context: ControllerContext) => Runnable,
    seen: (asked: readonly string[]) => unknown,
  ): Promise<void> {
    const asked: string[] = [];
    const watched = new Proxy(admin, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          asked.push(`${String(name)} ${String(args[1])}`);
          return (value as (...given: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const stop = new AbortController();
    const deps = { clock: systemClock, random: () => 0, log: silentLog };
    const informers = new InformerFactory(lagging(admin, snapshots), deps);
    const controller = build({
      ...deps,
      informers,
      metrics: new MetricsRegistry(),
      client: () => watched,
      recorder: () => ({ event: () => undefined }),
      options: {
        clusterCidr: '10.244.0.0/16',
        nodeCidrMaskSize: 24,
        terminatedPodThreshold: 0,
        nodeMonitorPeriodMs: 1_000,
        nodeMonitorGraceMs: 40_000,
      },
    });
    const running = Promise.all([informers.run(stop.signal), controller.run(stop.signal)]);
    try {
      await eventually(() => seen(asked));
    } finally {
      stop.abort();
      await running;
    }
  }

  it('does not empty a namespace that has the name of one that went', async () => {
    await admin.create(namespaces, { metadata: { name: 'again' }, spec: {} });
    await admin.delete(namespaces, 'again');
    const snapshots = new Map([[namespaces, await admin.list(namespaces)]]);
    const going = await admin.get(namespaces, 'again');
    await admin.update(namespaces, { ...going, spec: { finalizers: [] } }, { subresource: 'finalize' });
    await admin.create(namespaces, { metadata: { name: 'again' }, spec: {} });
    await admin.create(configmaps, { metadata: { name: 'kept', namespace: 'again' } });
    await play(snapshots, namespaceController.build, (asked) => assert.ok(asked.includes('get again')));
    await admin.get(configmaps, 'kept', 'again');
    assert.deepEqual((await admin.get(namespaces, 'again')).spec?.finalizers, ['kubernetes']);
  });

  it('does not evict a pod from a node that has recovered', async () => {
    const taints = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }];
    await admin.create(nodes, { metadata: { name: 'well' }, spec: { taints } });
    const snapshots = new Map([[nodes, await admin.list(nodes)]]);
    await admin.patch(nodes, 'well', undefined, 'merge', { spec: { taints: null } });
    const containers = [{ name: 'c', image: 'i' }];
    const tolerations = taints.map((taint) => ({ ...taint, operator: 'Exists', tolerationSeconds: 0 }));
    const spec = { nodeName: 'well', containers, tolerations };
    await admin.create(serviceaccounts, { metadata: { name: 'default', namespace: 'default' } });
    await admin.create(pods, { metadata: { name: 'placed', namespace: 'default' }, spec });
    const indexes = { node: ({ spec: { nodeName } }: Pod) => (nodeName === undefined ? [] : [nodeName]) };
    const build = (context: ControllerContext): Runnable =>
      taintEviction(context, context.informers.informer(nodes), context.informers.informer(pods, { indexes }));
    await play(snapshots, build, (asked) => assert.ok(asked.includes('get well')));
    const { metadata, status } = await admin.get(pods, 'placed', 'default');
    assert.equal(metadata.deletionTimestamp, undefined);
    assert.equal(
      status?.conditions?.find(({ type }) => type === 'DisruptionTarget'),
      undefined,
    );
  });

  it('fills the Secret of an account that was made anew, and does not delete it', async () => {
    const metadata = { name: 'robot', namespace: 'default' };
    await admin.create(serviceaccounts, { metadata });
    const snapshots = new Map([[serviceaccounts, await admin.list(serviceaccounts)]]);
    await admin.delete(serviceaccounts, 'robot', 'default');
    const { uid } = (await admin.create(serviceaccounts, { metadata })).metadata;
    const annotations = {
      'kubernetes.io/service-account.name': 'robot',
      'kubernetes.io/service-account.uid': uid,
    };
    const type = 'kubernetes.io/service-account-token';
    await admin.create(secrets, { metadata: { name: 'robot-token', namespace: 'default', annotations }, type });
    await play(snapshots, tokenSecretController.build, async () => {
      assert.ok((await admin.get(secrets, 'robot-token', 'default')).data?.['token']);
    });
  });
});
