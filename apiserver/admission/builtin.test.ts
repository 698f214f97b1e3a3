import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSigningRequest } from '../../shared/pki/certificate.js';
import type { RawAnswer, RawSender } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const core = '/api/v1/namespaces/default';
const merge = { 'content-type': 'application/merge-patch+json' };

describe('built-in admission', () => {
  const world = serverWorld({
    disabledAdmission: ['ServiceAccount'],
    enabledAdmission: ['OwnerReferencesPermissionEnforcement'],
  });
  const { admin } = world;

  const message = ({ json }: RawAnswer): unknown => json?.['message'];
  const specOf = ({ json }: RawAnswer): Record<string, unknown> => json?.['spec'] as Record<string, unknown>;
  const metadataOf = ({ json }: RawAnswer): { finalizers?: string[]; annotations?: Record<string, string> } =>
    json?.['metadata'] as object;
  const send = (path: string, name: string, body: object = {}, metadata: object = {}): Promise<RawAnswer> =>
    admin.send(path, { body: { ...body, metadata: { name, ...metadata } } });
  const pod = (namespace: string, name: string, resources?: object, more: object = {}): Promise<RawAnswer> =>
    send(`/api/v1/namespaces/${namespace}/pods`, name, {
      spec: { containers: [{ name: 'c', image: 'i', ...(resources ? { resources } : {}) }], ...more },
    });
  const namespace = async (name: string): Promise<string> => {
    await send('/api/v1/namespaces', name);
    return `/api/v1/namespaces/${name}`;
  };

  it('LimitRanger fills in requests and limits and says so', async () => {
    const path = await namespace('ranged');
    const limits = [{ type: 'Container', default: { cpu: '200m' }, defaultRequest: { cpu: '100m', memory: '64Mi' } }];
    await send(`${path}/limitranges`, 'defaults', { spec: { limits } });
    const made = await pod('ranged', 'p');
    const [container] = specOf(made)['containers'] as { resources: object }[];
    assert.deepEqual(container?.resources, { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m' } });
    assert.equal(
      metadataOf(made).annotations?.['kubernetes.io/limit-ranger'],
      'LimitRanger plugin set: cpu, memory request for container c; cpu limit for container c',
    );
  });

  it('a LimitRange without a name gets one, as no other kind does', async () => {
    const path = await namespace('nameless');
    const limits = [{ type: 'Container', max: { cpu: '1' } }];
    const made = await admin.send(`${path}/limitranges`, { body: { metadata: {}, spec: { limits } } });
    assert.equal(made.code, 201, made.text);
    const name = (made.json?.['metadata'] as { name?: string } | undefined)?.name ?? '';
    assert.match(name, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal((await admin.send(`${path}/limitranges/${name}`)).code, 200);
    const hooked = await admin.send(`${path}/limitranges`, {
      body: { metadata: { generateName: 'a-' }, spec: { limits } },
    });
    assert.match((hooked.json?.['metadata'] as { name: string } | undefined)?.name ?? '', /^a-.{5}$/);
    const quota = await admin.send(`${path}/resourcequotas`, { body: { metadata: {}, spec: { hard: { pods: '1' } } } });
    assert.equal(
      message(quota),
      'ResourceQuota "" is invalid: metadata.name: Required value: name or generateName is required',
    );
  });

  const ranges: readonly [string, object, object | undefined, string][] = [
    [
      'min',
      { min: { cpu: '1' } },
      { requests: { cpu: '500m' } },
      'minimum cpu usage per Container is 1, but request is 500m',
    ],
    [
      'max',
      { max: { cpu: '1' } },
      { requests: { cpu: '1' }, limits: { cpu: '2' } },
      'maximum cpu usage per Container is 1, but limit is 2',
    ],
    [
      'several',
      { min: { memory: '64Mi' }, max: { memory: '128Mi' } },
      { requests: { memory: '32Mi' }, limits: { memory: '256Mi' } },
      '[minimum memory usage per Container is 64Mi, but request is 32Mi, maximum memory usage per Container is 128Mi, but limit is 256Mi]',
    ],
    [
      'ratio',
      { maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '1' }, limits: { cpu: '3' } },
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    ],
  ];
  for (const [what, limit, resources, expected] of ranges) {
    it(`LimitRanger bounds containers: ${what}`, async () => {
      const path = await namespace(`range-${what}`);
      await send(`${path}/limitranges`, 'bounds', { spec: { limits: [{ type: 'Container', ...limit }] } });
      assert.equal(message(await pod(`range-${what}`, 'p', resources)), `pods "p" is forbidden: ${expected}`);
    });
  }

  it('LimitRanger bounds whole pods and claims', async () => {
    const path = await namespace('bounded');
    const limits = [
      { type: 'Pod', max: { cpu: '1' } },
      { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } },
    ];
    await send(`${path}/limitranges`, 'bounds', { spec: { limits } });
    const resources = { limits: { cpu: '600m' } };
    const containers = ['a', 'b'].map((name) => ({ name, image: 'i', resources }));
    assert.equal(
      message(await pod('bounded', 'p', undefined, { containers })),
      'pods "p" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m',
    );
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } };
    assert.equal(
      message(await send(`${path}/persistentvolumeclaims`, 'c', { spec: claim })),
      'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
    );
  });

  it('gives claims the newest default class, guards them, and lets them grow only where the class does', async () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    const classes = '/apis/storage.k8s.io/v1/storageclasses';
    await send(classes, 'fixed', { provisioner: 'example.com/fixed' }, { annotations });
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const claims = `${core}/persistentvolumeclaims`;
    const claim = await send(claims, 'grows', { spec });
    assert.equal(specOf(claim)['storageClassName'], 'fixed');
    assert.deepEqual(metadataOf(claim).finalizers, ['kubernetes.io/pvc-protection']);
    const bound = { status: { phase: 'Bound', capacity: { storage: '1Gi' } } };
    await admin.send(`${claims}/grows/status`, { method: 'PATCH', headers: merge, body: bound });
    const grow = { spec: { resources: { requests: { storage: '2Gi' } } } };
    const refused = await admin.send(`${claims}/grows`, { method: 'PATCH', headers: merge, body: grow });
    assert.equal(refused.code, 403, refused.text);
    assert.equal(
      message(refused),
      'persistentvolumeclaims "grows" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
    await admin.send(`${classes}/fixed`, { method: 'PATCH', headers: merge, body: { allowVolumeExpansion: true } });
    const grown = await admin.send(`${claims}/grows`, { method: 'PATCH', headers: merge, body: grow });
    assert.equal(grown.code, 200, grown.text);
  });

  it('gives an Ingress the default class', async () => {
    const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
    const networking = '/apis/networking.k8s.io/v1';
    await send(`${networking}/ingressclasses`, 'web', { spec: { controller: 'example.com/web' } }, { annotations });
    const backend = { service: { name: 's', port: { number: 80 } } };
    const ingresses = `${networking}/namespaces/default/ingresses`;
    const made = await send(ingresses, 'i', { spec: { defaultBackend: backend } });
    assert.equal(specOf(made)['ingressClassName'], 'web');
    const old = { annotations: { 'kubernetes.io/ingress.class': 'other' } };
    const chosen = await send(ingresses, 'j', { spec: { defaultBackend: backend } }, old);
    assert.equal(specOf(chosen)['ingressClassName'], undefined);
  });

  it('lets no pod onto a new node before it is ready', async () => {
    const node = await send('/api/v1/nodes', 'fresh');
    assert.deepEqual(specOf(node)['taints'], [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
  });

  it('adds what a RuntimeClass costs and where it runs, and refuses what does not agree', async () => {
    await send('/apis/node.k8s.io/v1/runtimeclasses', 'sandboxed', {
      handler: 'sandbox',
      overhead: { podFixed: { cpu: '250m' } },
      scheduling: { nodeSelector: { sandbox: 'yes' }, tolerations: [{ key: 'sandbox', operator: 'Exists' }] },
    });
    const made = await pod('default', 'sandboxed', undefined, { runtimeClassName: 'sandboxed' });
    const spec = specOf(made);
    assert.deepEqual(spec['overhead'], { cpu: '250m' });
    assert.deepEqual(spec['nodeSelector'], { sandbox: 'yes' });
    assert.equal((spec['tolerations'] as { key: string }[]).filter(({ key }) => key === 'sandbox').length, 1);
    const refusals: readonly [object, string][] = [
      [{ runtimeClassName: 'none' }, 'pod rejected: RuntimeClass "none" not found'],
      [
        { overhead: { cpu: '1' } },
        'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
      ],
      [
        { runtimeClassName: 'sandboxed', overhead: { cpu: '1' } },
        "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
      ],
      [
        { runtimeClassName: 'sandboxed', nodeSelector: { sandbox: 'no' } },
        'conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; pod.spec.nodeSelector[sandbox] = no',
      ],
    ];
    for (const [more, why] of refusals) {
      assert.equal(message(await pod('default', 'bad', undefined, more)), `pods "bad" is forbidden: ${why}`);
    }
  });

  it('gives nobody a certificate of system:masters', async () => {
    const { request } = await createSigningRequest({
      subject: { commonName: 'eve', organizations: ['system:masters'] },
    });
    const answer = await send('/apis/certificates.k8s.io/v1/certificatesigningrequests', 'eve', {
      spec: {
        request: Buffer.from(request).toString('base64'),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
      },
    });
    assert.equal(
      message(answer),
      'certificatesigningrequests.certificates.k8s.io "eve" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    );
  });

  it('lets requests be approved and signed only by those who may for that signer', async () => {
    const { request } = await createSigningRequest({ subject: { commonName: 'adam' } });
    const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
    const spec = {
      request: Buffer.from(request).toString('base64'),
      signerName: 'example.com/signer',
      usages: ['client auth'],
    };
    await send(path, 'adam', { spec });
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const resources = ['certificatesigningrequests/approval', 'certificatesigningrequests/status'];
    const rules = [{ apiGroups: ['certificates.k8s.io'], resources, verbs: ['update', 'patch'] }];
    await send(`${rbac}/clusterroles`, 'clerk', { rules });
    await send(`${rbac}/clusterrolebindings`, 'clerk', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'clerk' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'clerk' }],
    });
    const clerk = await world.clientOf('clerk');
    const approve = (client: RawSender): Promise<RawAnswer> =>
      client.send(`${path}/adam/approval`, {
        method: 'PATCH',
        headers: merge,
        body: { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'r' }] } },
      });
    const refusal = 'certificatesigningrequests.certificates.k8s.io "adam" is forbidden: user not permitted to';
    assert.equal(message(await approve(clerk)), `${refusal} approve requests with signerName "example.com/signer"`);
    assert.equal((await approve(admin)).code, 200);
    const sign = { status: { certificate: Buffer.from('-----BEGIN CERTIFICATE-----\n').toString('base64') } };
    const signed = await clerk.send(`${path}/adam/status`, { method: 'PATCH', headers: merge, body: sign });
    assert.equal(message(signed), `${refusal} sign requests with signerName "example.com/signer"`);
  });

  it('lets nobody block the deletion of what he may not finalize', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'get', 'update', 'patch'] }];
    await send(`${rbac}/clusterroles`, 'writer', { rules });
    await send(`${rbac}/clusterrolebindings`, 'writer', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'writer' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'writer' }],
    });
    const writer = await world.clientOf('writer');
    const owner = { apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'u', blockOwnerDeletion: true };
    const path = `${core}/configmaps`;
    const make = (name: string, ownerReferences: object[]): Promise<RawAnswer> =>
      writer.send(path, { body: { metadata: { name, ownerReferences } } });
    assert.match(
      String(message(await make('x', [owner]))),
      /^configmaps "x" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: /,
    );
    const { blockOwnerDeletion: _, ...loose } = owner;
    assert.equal((await make('x', [loose])).code, 201);
    const changed = await writer.send(`${path}/x`, {
      method: 'PATCH',
      headers: merge,
      body: { metadata: { ownerReferences: [] } },
    });
    assert.match(String(message(changed)), /cannot set an ownerRef on a resource you can't delete/);
  });
});
