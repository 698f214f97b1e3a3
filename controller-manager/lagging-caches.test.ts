import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import {
  configmaps,
  namespaces,
  nodes,
  persistentvolumeclaims,
  pods,
  secrets,
  serviceaccounts,
} from '../shared/api/generated/resources.js';
import type { Node, Pod } from '../shared/api/generated/types.js';
import type { Resource } from '../shared/api/resource.js';
import { isNotFound } from '../shared/errors/status-error.js';
import { InformerFactory } from '../shared/cache/informer-factory.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import type { HttpsClient } from '../shared/client/https-client.js';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { silentLog } from '../shared/log/log.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import type { ControllerContext, Runnable } from './context.js';
import { namespaceController } from './namespace/namespace-controller.js';
import { taintEviction } from './node/taint-eviction.js';
import { nodeIpamController } from './node/node-ipam-controller.js';
import { tokenSecretController } from './serviceaccount/token-secret-controller.js';
import { claimProtectionController } from './storage-protection/storage-protection-controllers.js';
import { tokenCleanerController } from './bootstrap/token-cleaner-controller.js';
import { HeldBack, laggingClient } from './testing/lagging-client.js';

/** Waits until the server has answered a call, with whatever. */
const untilAnswered = (answered: readonly string[], what: string): Promise<void> =>
  eventually(() => assert.ok(answered.includes(what), answered.join()));

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

  /** What caches know of a resource from now on: what is there, and what they are told. */
  const holdBack = async (resource: Resource): Promise<HeldBack> => new HeldBack(await admin.list(resource));

  /** Runs a controller as long as `act` takes, which learns to what the server has answered it. */
  async function play(
    held: ReadonlyMap<object, HeldBack>,
    build: (context: ControllerContext) => Runnable,
    act: (answered: readonly string[]) => Promise<unknown>,
  ): Promise<void> {
    const answered: string[] = [];
    const watched = new Proxy(admin, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const answer = (value as (...given: unknown[]) => unknown).apply(target, args);
          const what = typeof args[1] === 'string' ? args[1] : (args[0] as Resource).resource;
          const note = (): number => answered.push(`${String(name)} ${what}`);
          if (answer instanceof Promise) answer.then(note, note);
          return answer;
        };
      },
    });
    const stop = new AbortController();
    const deps = { clock: systemClock, random: () => 0, log: silentLog };
    const informers = new InformerFactory(laggingClient(admin, held), deps);
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
      await act(answered);
    } finally {
      stop.abort();
      await running;
    }
  }

  it('does not empty a namespace that has the name of one that went', async () => {
    await admin.create(namespaces, { metadata: { name: 'again' }, spec: {} });
    await admin.delete(namespaces, 'again');
    const held = new Map([[namespaces, await holdBack(namespaces)]]);
    const going = await admin.get(namespaces, 'again');
    await admin.update(namespaces, { ...going, spec: { finalizers: [] } }, { subresource: 'finalize' });
    await admin.create(namespaces, { metadata: { name: 'again' }, spec: {} });
    await admin.create(configmaps, { metadata: { name: 'kept', namespace: 'again' } });
    await play(held, namespaceController.build, (answered) => untilAnswered(answered, 'get again'));
    await admin.get(configmaps, 'kept', 'again');
    assert.deepEqual((await admin.get(namespaces, 'again')).spec?.finalizers, ['kubernetes']);
  });

  it('does not evict a pod from a node that has recovered', async () => {
    const taints = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }];
    await admin.create(nodes, { metadata: { name: 'well' }, spec: { taints } });
    const held = new Map([[nodes, await holdBack(nodes)]]);
    await admin.patch(nodes, 'well', undefined, 'merge', { spec: { taints: null } });
    const containers = [{ name: 'c', image: 'i' }];
    const tolerations = taints.map((taint) => ({ ...taint, operator: 'Exists', tolerationSeconds: 0 }));
    const spec = { nodeName: 'well', containers, tolerations };
    await admin.create(serviceaccounts, { metadata: { name: 'default', namespace: 'default' } });
    await admin.create(pods, { metadata: { name: 'placed', namespace: 'default' }, spec });
    const indexes = { node: ({ spec: { nodeName } }: Pod) => (nodeName === undefined ? [] : [nodeName]) };
    const build = (context: ControllerContext): Runnable =>
      taintEviction(context, context.informers.informer(nodes), context.informers.informer(pods, { indexes }));
    await play(held, build, (answered) => untilAnswered(answered, 'get well'));
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
    const held = new Map([[serviceaccounts, await holdBack(serviceaccounts)]]);
    await admin.delete(serviceaccounts, 'robot', 'default');
    const { uid } = (await admin.create(serviceaccounts, { metadata })).metadata;
    const annotations = {
      'kubernetes.io/service-account.name': 'robot',
      'kubernetes.io/service-account.uid': uid,
    };
    const type = 'kubernetes.io/service-account-token';
    await admin.create(secrets, { metadata: { name: 'robot-token', namespace: 'default', annotations }, type });
    await play(held, tokenSecretController.build, () =>
      eventually(async () => assert.ok((await admin.get(secrets, 'robot-token', 'default')).data?.['token'])),
    );
  });

  it('keeps a claim that a pod names of which it has not heard, and lets it go with the pod', async () => {
    const finalizers = ['kubernetes.io/pvc-protection'];
    await admin.create(persistentvolumeclaims, {
      metadata: { name: 'data', namespace: 'default', finalizers },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    const lag = await holdBack(pods);
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
    const containers = [{ name: 'c', image: 'i' }];
    const user = await admin.create(pods, {
      metadata: { name: 'user', namespace: 'default' },
      spec: { nodeName: 'anywhere', containers, volumes },
    });
    await admin.delete(persistentvolumeclaims, 'data', 'default');
    await play(new Map([[pods, lag]]), claimProtectionController.build, async (answered) => {
      await untilAnswered(answered, 'list pods');
      // Now the cache learns of the pod, in its time.
      lag.tell('ADDED', user);
      lag.tell('MODIFIED', user);
      await admin.delete(pods, 'user', 'default', { gracePeriodSeconds: 0 });
      assert.deepEqual((await admin.get(persistentvolumeclaims, 'data', 'default')).metadata.finalizers, finalizers);
      lag.tell('DELETED', user);
      await eventually(() => assert.rejects(admin.get(persistentvolumeclaims, 'data', 'default'), isNotFound));
    });
  });

  it('leaves a bootstrap token that was prolonged meanwhile', async () => {
    const name = 'bootstrap-token-abcdef';
    const stringData = { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef' };
    await admin.create(secrets, {
      metadata: { name, namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: { ...stringData, expiration: new Date(Date.now() - 60_000).toISOString() },
    });
    const held = new Map([[secrets, await holdBack(secrets)]]);
    const expiration = new Date(Date.now() + 3_600_000).toISOString();
    await admin.patch(secrets, name, 'kube-system', 'merge', { stringData: { expiration } });
    await play(held, tokenCleanerController.build, (answered) => untilAnswered(answered, `delete ${name}`));
    const { data } = await admin.get(secrets, name, 'kube-system');
    assert.equal(Buffer.from(data?.['expiration'] ?? '', 'base64').toString(), expiration);
  });

  it('gives pod addresses to the node that it knows, and not to one that took its name', async () => {
    const addresses = async (): Promise<string | undefined> => (await admin.get(nodes, 'twin')).spec?.podCIDR;
    const makeTwin = (): Promise<Node> => admin.create(nodes, { metadata: { name: 'twin' }, spec: {} });
    await makeTwin();
    const lag = await holdBack(nodes);
    await admin.delete(nodes, 'twin');
    const second = await makeTwin();
    await play(new Map([[nodes, lag]]), nodeIpamController.build, async (answered) => {
      await untilAnswered(answered, 'patch twin');
      assert.equal(await addresses(), undefined);
      lag.tell('MODIFIED', second);
      await eventually(async () => assert.ok(await addresses()));
      // The cache does not show those addresses before the next node of that name is there.
      await admin.delete(nodes, 'twin');
      lag.tell('MODIFIED', await makeTwin());
      await eventually(async () => assert.ok(await addresses()));
    });
  });
});
