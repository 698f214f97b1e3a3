import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  certificatesigningrequests,
  configmaps,
  deployments,
  endpoints,
  endpointslices,
  events,
  leases,
  namespaces,
  nodes,
  pods,
  replicasets,
  secrets,
  serviceaccounts,
  services,
} from '../shared/api/generated/resources.js';
import type { Endpoint, Node, Pod } from '../shared/api/generated/types.js';
import { getCondition } from '../shared/api/condition.js';
import { eventually } from '../shared/clock/eventually.js';
import { isNotFound } from '../shared/errors/status-error.js';
import { createSigningRequest } from '../shared/pki/certificate.js';
import { Connection } from '../shared/client/connection.js';
import { HttpsClient } from '../shared/client/https-client.js';
import { systemClock } from '../shared/clock/clock.js';
import { controllers } from './controllers.js';
import { startManager, type TestManager } from './testing/manager.js';

const namespace = 'default';
const gone = (error: unknown): boolean => isNotFound(error);

/** All controllers under their own accounts against the real API server; the test plays kubelets and users. */
describe('the controllers together', () => {
  let manager: TestManager;
  before(async () => {
    manager = await startManager(controllers);
    await eventually(() => manager.admin.get(serviceaccounts, 'default', namespace));
  });
  after(() => manager.close());

  const createPod = (
    name: string,
    more: { labels?: Record<string, string>; spec?: object; metadata?: object } = {},
  ): Promise<Pod> =>
    manager.admin.create(pods, {
      metadata: { name, namespace, ...(more.labels ? { labels: more.labels } : {}), ...more.metadata },
      spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 8080 }] }], ...more.spec },
    });
  const setStatus = (name: string, podIP: string, isReady: boolean): Promise<Pod> =>
    manager.admin.patch(
      pods,
      name,
      namespace,
      'merge',
      {
        status: {
          phase: 'Running',
          podIP,
          podIPs: [{ ip: podIP }],
          conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
        },
      },
      { subresource: 'status' },
    );

  it('every namespace gets its default account and the root certificate, and again when they are deleted', async () => {
    await manager.admin.create(namespaces, { metadata: { name: 'team' }, spec: {} });
    await eventually(() => manager.admin.get(serviceaccounts, 'default', 'team'));
    await eventually(async () => {
      const map = await manager.admin.get(configmaps, 'kube-root-ca.crt', 'team');
      assert.equal(map.data?.['ca.crt'], manager.server.ca);
    });
    await manager.admin.delete(configmaps, 'kube-root-ca.crt', 'team');
    await eventually(() => manager.admin.get(configmaps, 'kube-root-ca.crt', 'team'));
  });

  it('a deleted namespace takes its content along', async () => {
    await manager.admin.create(configmaps, { metadata: { name: 'x', namespace: 'team' } });
    await manager.admin.create(deployments, {
      metadata: { name: 'd', namespace: 'team' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'd' } },
        template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    });
    await eventually(async () => {
      assert.equal((await manager.admin.list(pods, { namespace: 'team' })).items.length, 2);
    });
    await manager.admin.delete(namespaces, 'team');
    await eventually(() => assert.rejects(manager.admin.get(namespaces, 'team'), gone), 15_000, 50);
    assert.equal((await manager.admin.list(pods, { namespace: 'team' })).items.length, 0);
  });

  it('a Service gets slices and Endpoints that follow its pods', async () => {
    await createPod('web-1', { labels: { app: 'web' }, spec: { nodeName: 'node-1' } });
    await createPod('web-2', { labels: { app: 'web' }, spec: { nodeName: 'node-1' } });
    await manager.admin.create(services, {
      metadata: { name: 'web', namespace },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    });
    await setStatus('web-1', '10.244.0.5', true);
    await setStatus('web-2', '10.244.0.6', false);
    const slices = async (): Promise<Endpoint[]> => {
      const { items } = await manager.admin.list(endpointslices, {
        namespace,
        labelSelector: 'kubernetes.io/service-name=web',
      });
      assert.equal(items.length, 1);
      assert.deepEqual(
        items[0]?.ports?.map(({ name, port, protocol }) => [name, port, protocol]),
        [['http', 8080, 'TCP']],
      );
      return items[0]?.endpoints ?? [];
    };
    await eventually(async () => {
      const states = (await slices()).map(({ addresses, conditions }) => `${addresses[0]} ${conditions?.ready}`);
      assert.deepEqual(new Set(states), new Set(['10.244.0.5 true', '10.244.0.6 false']));
    });
    await eventually(async () => {
      const { subsets } = await manager.admin.get(endpoints, 'web', namespace);
      assert.deepEqual(
        subsets?.[0]?.addresses?.map(({ ip }) => ip),
        ['10.244.0.5'],
      );
      assert.deepEqual(
        subsets?.[0]?.notReadyAddresses?.map(({ ip }) => ip),
        ['10.244.0.6'],
      );
    });
    await setStatus('web-2', '10.244.0.6', true);
    await manager.admin.delete(pods, 'web-1', namespace, { gracePeriodSeconds: 0 });
    await eventually(async () => {
      assert.deepEqual(
        (await slices()).map(({ addresses, conditions }) => [addresses[0], conditions?.ready]),
        [['10.244.0.6', true]],
      );
    });
    await manager.admin.delete(services, 'web', namespace);
    await eventually(() => assert.rejects(manager.admin.get(endpoints, 'web', namespace), gone));
    await eventually(async () => {
      const { items } = await manager.admin.list(endpointslices, {
        namespace,
        labelSelector: 'kubernetes.io/service-name=web',
      });
      assert.equal(items.length, 0);
    });
  });

  it('nodes get address ranges of their own, taints by their conditions, and lose pods when they fall silent', async () => {
    const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      lastHeartbeatTime: now(),
      lastTransitionTime: now(),
    };
    const join = async (name: string): Promise<void> => {
      await manager.admin.create(nodes, { metadata: { name }, spec: {} });
      await manager.admin.patch(
        nodes,
        name,
        undefined,
        'merge',
        { status: { conditions: [ready] } },
        { subresource: 'status' },
      );
    };
    await join('node-a');
    await join('node-b');
    let beats = 0;
    const beat = async (): Promise<void> => {
      const metadata = { name: 'node-a', namespace: 'kube-node-lease' };
      const spec = {
        holderIdentity: 'node-a',
        renewTime: new Date(Date.now() + beats++).toISOString().replace('Z', '000Z'),
      };
      if (beats === 1) await manager.admin.create(leases, { metadata, spec });
      else await manager.admin.patch(leases, 'node-a', 'kube-node-lease', 'merge', { spec });
    };
    await eventually(async () => {
      const cidrs = (await manager.admin.list(nodes)).items.map(({ spec }) => spec?.podCIDR);
      assert.deepEqual(new Set(cidrs), new Set(['10.244.0.0/24', '10.244.1.0/24']));
    });
    await createPod('patient', { spec: { nodeName: 'node-b' } });
    await createPod('hasty', {
      spec: {
        nodeName: 'node-b',
        tolerations: [
          { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 },
        ],
      },
    });
    await setStatus('patient', '10.244.1.2', true);
    const node = await eventually(
      async (): Promise<Node> => {
        await beat();
        const found = await manager.admin.get(nodes, 'node-b');
        const taints = (found.spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort();
        assert.deepEqual(taints, [
          'node.kubernetes.io/unreachable:NoExecute',
          'node.kubernetes.io/unreachable:NoSchedule',
        ]);
        return found;
      },
      20_000,
      50,
    );
    await eventually(async () => {
      const { items } = await manager.admin.list(events, { namespace });
      const told = items.filter(({ involvedObject }) => involvedObject.name === 'node-b').map(({ reason }) => reason);
      assert.ok(told.includes('RegisteredNode') && told.includes('NodeNotReady'), told.join());
    });
    const condition = getCondition(node.status?.conditions, 'Ready');
    assert.deepEqual([condition?.status, condition?.reason], ['Unknown', 'NodeStatusUnknown']);
    await eventually(
      async () => {
        await beat();
        const hasty = await manager.admin.get(pods, 'hasty', namespace).catch(() => undefined);
        assert.ok(hasty === undefined || hasty.metadata.deletionTimestamp);
        const patient = await manager.admin.get(pods, 'patient', namespace);
        assert.equal(patient.metadata.deletionTimestamp, undefined);
        assert.equal(getCondition(patient.status?.conditions, 'Ready')?.status, 'False');
        assert.equal((await manager.admin.get(nodes, 'node-a')).spec?.taints?.length ?? 0, 0);
      },
      20_000,
      50,
    );
    // It comes back.
    const back = { ...ready, lastHeartbeatTime: new Date(Date.now() + 1000).toISOString().replace(/\.\d+Z$/, 'Z') };
    await manager.admin.patch(
      nodes,
      'node-b',
      undefined,
      'merge',
      { status: { conditions: [back] } },
      { subresource: 'status' },
    );
    await eventually(async () => assert.equal((await manager.admin.get(nodes, 'node-b')).spec?.taints?.length ?? 0, 0));
    await manager.admin.patch(nodes, 'node-a', undefined, 'merge', { spec: { unschedulable: true } });
    await eventually(async () => {
      const { spec } = await manager.admin.get(nodes, 'node-a');
      assert.ok(spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/unschedulable'));
    });
  });

  it('a bootstrapping node gets its client certificate, and with it a serving certificate', async () => {
    const request = await createSigningRequest({
      subject: { commonName: 'system:node:node-x', organizations: ['system:nodes'] },
    });
    const bootstrap = await manager.server.certificateFor('system:bootstrap:abcdef', [
      'system:bootstrappers',
      'system:bootstrappers:kubeadm:default-node-token',
    ]);
    const connect = (pair: { certificate: string; key: string }): HttpsClient =>
      new HttpsClient({
        clock: systemClock,
        connection: new Connection(
          { server: manager.server.url, ca: manager.server.ca, cert: pair.certificate, key: pair.key },
          systemClock,
        ),
      });
    const submit = async (
      client: HttpsClient,
      name: string,
      pem: string,
      signerName: string,
      usages: string[],
    ): Promise<string> => {
      await client.create(certificatesigningrequests, {
        metadata: { name },
        spec: { request: Buffer.from(pem).toString('base64'), signerName, usages },
      });
      return eventually(async () => {
        const { status } = await manager.admin.get(certificatesigningrequests, name);
        assert.ok(status?.certificate);
        return Buffer.from(status.certificate, 'base64').toString('utf8');
      });
    };
    const booting = connect(bootstrap);
    const clientUsages = ['digital signature', 'client auth'];
    const certificate = await submit(
      booting,
      'csr-1',
      request.request,
      'kubernetes.io/kube-apiserver-client-kubelet',
      clientUsages,
    );
    const kubelet = connect({ certificate, key: request.key });
    const subject = { commonName: 'system:node:node-x', organizations: ['system:nodes'] };
    const serving = await createSigningRequest({ subject, ipAddresses: ['10.9.9.9'], dnsNames: ['node-x'] });
    const servingUsages = ['digital signature', 'server auth'];
    const pem = await submit(kubelet, 'csr-2', serving.request, 'kubernetes.io/kubelet-serving', servingUsages);
    assert.match(pem, /BEGIN CERTIFICATE/);
    booting.close();
    kubelet.close();
  });

  it('cluster-info is signed with each bootstrap token, until the token expires and goes', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    await manager.admin.create(configmaps, {
      metadata: { name: 'cluster-info', namespace: 'kube-public' },
      data: { kubeconfig: 'x' },
    });
    const signature = async (): Promise<string | undefined> =>
      (await manager.admin.get(configmaps, 'cluster-info', 'kube-public')).data?.['jws-kubeconfig-abcdef'];
    await manager.admin.create(secrets, {
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      data: {
        'token-id': base64('abcdef'),
        'token-secret': base64('0123456789abcdef'),
        'usage-bootstrap-signing': base64('true'),
        expiration: base64(new Date(Date.now() + 1_000).toISOString()),
      },
    });
    await eventually(async () => assert.match((await signature()) ?? '', /^[\w-]+\.\.[\w-]+$/));
    await eventually(() => assert.rejects(manager.admin.get(secrets, 'bootstrap-token-abcdef', 'kube-system'), gone));
    await eventually(async () => assert.equal(await signature(), undefined));
  });

  describe('garbage collection', () => {
    const owner = async (name: string): Promise<{ uid: string; reference: object }> => {
      const { metadata } = await manager.admin.create(replicasets, {
        metadata: { name, namespace },
        spec: {
          replicas: 0,
          selector: { matchLabels: { rs: name } },
          template: { metadata: { labels: { rs: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
        },
      });
      const { uid } = metadata;
      return { uid, reference: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, blockOwnerDeletion: true } };
    };
    const owned = (name: string, ...references: object[]): Promise<unknown> =>
      manager.admin.create(configmaps, { metadata: { name, namespace, ownerReferences: references as never } });
    const references = async (name: string): Promise<string[]> =>
      ((await manager.admin.get(configmaps, name, namespace)).metadata.ownerReferences ?? []).map((r) => r.name);

    it('background: dependents follow their last owner, and lose references to those gone', async () => {
      const [a, b] = [await owner('a'), await owner('b')];
      await owned('both', a.reference, b.reference);
      await owned('only-a', a.reference);
      await manager.admin.delete(replicasets, 'a', namespace, { propagationPolicy: 'Background' });
      await eventually(() => assert.rejects(manager.admin.get(configmaps, 'only-a', namespace), gone));
      await eventually(async () => assert.deepEqual(await references('both'), ['b']));
      await manager.admin.delete(replicasets, 'b', namespace, { propagationPolicy: 'Background' });
      await eventually(() => assert.rejects(manager.admin.get(configmaps, 'both', namespace), gone));
    });

    it('foreground: the owner goes after its dependents', async () => {
      const { reference } = await owner('f');
      await manager.admin.create(configmaps, {
        metadata: { name: 'held', namespace, ownerReferences: [reference as never], finalizers: ['example.com/hold'] },
      });
      await manager.admin.delete(replicasets, 'f', namespace, { propagationPolicy: 'Foreground' });
      await eventually(async () => {
        assert.ok((await manager.admin.get(configmaps, 'held', namespace)).metadata.deletionTimestamp);
      });
      assert.ok((await manager.admin.get(replicasets, 'f', namespace)).metadata.deletionTimestamp);
      await manager.admin.patch(configmaps, 'held', namespace, 'merge', { metadata: { finalizers: null } });
      await eventually(() => assert.rejects(manager.admin.get(replicasets, 'f', namespace), gone));
      await assert.rejects(manager.admin.get(configmaps, 'held', namespace), gone);
    });

    it('orphan: dependents stay and lose the reference', async () => {
      const { reference } = await owner('o');
      await owned('kept', reference);
      await manager.admin.delete(replicasets, 'o', namespace, { propagationPolicy: 'Orphan' });
      await eventually(() => assert.rejects(manager.admin.get(replicasets, 'o', namespace), gone));
      assert.deepEqual(await references('kept'), []);
    });

    it('an owner may be called by the older group that serves it too, and nobody is told of a wrong namespace', async () => {
      const { reference } = await owner('aged');
      await owned('of-aged', { ...reference, apiVersion: 'extensions/v1beta1' });
      await manager.admin.patch(replicasets, 'aged', namespace, 'merge', { metadata: { labels: { touched: 'yes' } } });
      await owned('witness', { ...reference, apiVersion: 'v1', kind: 'Secret' });
      await eventually(() => assert.rejects(manager.admin.get(configmaps, 'witness', namespace), gone));
      assert.deepEqual(await references('of-aged'), ['aged']);
      await manager.admin.delete(replicasets, 'aged', namespace, { propagationPolicy: 'Background' });
      await eventually(() => assert.rejects(manager.admin.get(configmaps, 'of-aged', namespace), gone));
      const { items } = await manager.admin.list(events, { namespace });
      assert.deepEqual(
        items.filter(({ reason }) => reason === 'OwnerRefInvalidNamespace').map(({ message }) => message),
        [],
      );
    });

    it('an owner that never was, or is in another namespace, keeps nobody alive', async () => {
      await owned('stray', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: 'nobody',
        uid: '11111111-2222-3333-4444-555555555555',
      });
      await eventually(() => assert.rejects(manager.admin.get(configmaps, 'stray', namespace), gone));
    });
  });
});
