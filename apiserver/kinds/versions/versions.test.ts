import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../../shared/clock/eventually.js';
import { createSigningRequest } from '../../../shared/pki/certificate.js';
import type { RawAnswer } from '../../testing/raw-client.js';
import { serverWorld } from '../../testing/server-world.js';
import { servedVersions } from './index.js';

type Json = Record<string, unknown>;

const labels = { a: 'b' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const selector = { matchLabels: labels };
const jobTemplate = { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } };
const autoscaled = { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 3 };
const backend = { serviceName: 's', servicePort: 'http' };

/** A body of each kind; of a version where its form is another. */
const bodies: Readonly<Record<string, Json>> = {
  Deployment: { spec: { selector, template } },
  ReplicaSet: { spec: { selector, template } },
  DaemonSet: { spec: { selector, template } },
  StatefulSet: { spec: { selector, template, serviceName: 's' } },
  ControllerRevision: { revision: 1, data: { a: 1 } },
  Ingress: {
    spec: { backend, rules: [{ http: { paths: [{ path: '/', backend: { ...backend, servicePort: 80 } }] } }] },
  },
  IngressClass: { spec: { controller: 'example.com/c' } },
  NetworkPolicy: { spec: { podSelector: selector } },
  CronJob: { spec: { schedule: '@daily', jobTemplate } },
  PodDisruptionBudget: { spec: { minAvailable: 1, selector: {} } },
  EndpointSlice: {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], topology: { 'topology.kubernetes.io/zone': 'z', other: 'o' } }],
  },
  StorageClass: { provisioner: 'example.com/p' },
  CSIDriver: { spec: {} },
  CSINode: { spec: { drivers: [{ name: 'd', nodeID: 'n' }] } },
  VolumeAttachment: { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'pv' } } },
  PriorityClass: { value: 5 },
  Lease: { spec: { holderIdentity: 'me' } },
  Role: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  ClusterRole: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  RoleBinding: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' } },
  ClusterRoleBinding: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' } },
  'autoscaling/v1 HorizontalPodAutoscaler': {
    metadata: {
      annotations: {
        'autoscaling.alpha.kubernetes.io/metrics': JSON.stringify([
          { type: 'Pods', pods: { metricName: 'hits', targetAverageValue: '5' } },
        ]),
      },
    },
    spec: { ...autoscaled, targetCPUUtilizationPercentage: 60 },
  },
  'autoscaling/v2beta2 HorizontalPodAutoscaler': { spec: autoscaled },
  'autoscaling/v2beta1 HorizontalPodAutoscaler': {
    spec: {
      ...autoscaled,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', targetAverageUtilization: 50 } },
        {
          type: 'Object',
          object: { target: { kind: 'Service', name: 's' }, metricName: 'hits', targetValue: '10' },
        },
        { type: 'External', external: { metricName: 'queue', targetAverageValue: '3' } },
      ],
    },
  },
};

const exactly = { deviceClassName: 'gpu', count: 2 };
const policyMatch = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
};
const limitResponse = { type: 'Reject' };

/** Bodies of kinds that came later, or that v1 has newly replaced. */
const laterBodies: Readonly<Record<string, Json>> = {
  RuntimeClass: { handler: 'h' },
  CSIStorageCapacity: { storageClassName: 'fast', capacity: '1Gi' },
  VolumeAttributesClass: { driverName: 'example.com', parameters: { a: 'b' } },
  IPAddress: { spec: { parentRef: { resource: 'services', name: 's', namespace: 'default' } } },
  ServiceCIDR: { spec: { cidrs: ['10.200.0.0/24'] } },
  APIService: {
    spec: {
      group: 'example.com',
      version: 'v9',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      insecureSkipTLSVerify: true,
      service: { name: 's', namespace: 'default' },
    },
  },
  ValidatingAdmissionPolicy: { spec: { matchConstraints: policyMatch, validations: [{ expression: 'true' }] } },
  ValidatingAdmissionPolicyBinding: { spec: { policyName: 'p', validationActions: ['Deny'] } },
  MutatingAdmissionPolicy: {
    spec: {
      matchConstraints: policyMatch,
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }],
    },
  },
  MutatingAdmissionPolicyBinding: { spec: { policyName: 'p' } },
  FlowSchema: { spec: { priorityLevelConfiguration: { name: 'global-default' }, matchingPrecedence: 9_000 } },
  PriorityLevelConfiguration: {
    spec: { type: 'Limited', limited: { assuredConcurrencyShares: 3, limitResponse } },
  },
  'flowcontrol.apiserver.k8s.io/v1beta3 PriorityLevelConfiguration': {
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 3, limitResponse } },
  },
  DeviceClass: { spec: { selectors: [{ cel: { expression: 'true' } }] } },
  ResourceClaim: { spec: { devices: { requests: [{ name: 'r', exactly }] } } },
  ResourceClaimTemplate: { spec: { spec: { devices: { requests: [{ name: 'r', exactly }] } } } },
  'resource.k8s.io/v1beta1 ResourceClaim': { spec: { devices: { requests: [{ name: 'r', ...exactly }] } } },
  'resource.k8s.io/v1beta1 ResourceClaimTemplate': {
    spec: { spec: { devices: { requests: [{ name: 'r', ...exactly }] } } },
  },
  ResourceSlice: {
    spec: {
      driver: 'example.com',
      nodeName: 'n',
      pool: { name: 'n', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'd', attributes: { model: { string: 'x' } } }],
    },
  },
  'resource.k8s.io/v1beta1 ResourceSlice': {
    spec: {
      driver: 'example.com',
      nodeName: 'n',
      pool: { name: 'n', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'd', basic: { attributes: { model: { string: 'x' } } } }],
    },
  },
};

const webhook = { name: 'a.example.com', clientConfig: { url: 'https://localhost/' } };
/** As such definitions were written: no types at the root, columns and schema for all versions. */
const cronTabs = {
  spec: {
    group: 'stable.example.com',
    version: 'v1',
    names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'] },
    scope: 'Namespaced',
    subresources: { status: {} },
    additionalPrinterColumns: [{ name: 'Cron', type: 'string', JSONPath: '.spec.cron' }],
    validation: {
      openAPIV3Schema: { properties: { spec: { required: ['cron'], properties: { cron: { type: 'string' } } } } },
    },
  },
};

/** Bodies of kinds about the server itself. */
const serverBodies: Readonly<Record<string, Json>> = {
  MutatingWebhookConfiguration: { webhooks: [webhook] },
  ValidatingWebhookConfiguration: { webhooks: [webhook] },
  CustomResourceDefinition: cronTabs,
  Event: {
    regarding: { kind: 'Pod', namespace: 'default', name: 'p' },
    note: 'it happened',
    reason: 'Happened',
    type: 'Normal',
    deprecatedCount: 2,
  },
};

/** Kinds whose objects are called after what they are about. */
const names: Readonly<Record<string, string>> = {
  IPAddress: '10.200.0.9',
  APIService: 'v9.example.com',
  CustomResourceDefinition: 'crontabs.stable.example.com',
};

/** The server itself writes their status as soon as they are there. */
const statusKept = new Set(['FlowSchema', 'APIService', 'ValidatingAdmissionPolicy', 'CustomResourceDefinition']);

const metadataOf = (body: unknown): Json => (body as { metadata: Json }).metadata;

const bodyOf = (apiVersion: string, kind: string): Json | undefined =>
  bodies[`${apiVersion} ${kind}`] ??
  bodies[kind] ??
  laterBodies[`${apiVersion} ${kind}`] ??
  laterBodies[kind] ??
  serverBodies[kind];

const certificateRequest = async (): Promise<Json> => {
  const { request } = await createSigningRequest({ subject: { commonName: 'jane' } });
  const signerName = 'kubernetes.io/kube-apiserver-client';
  return { spec: { request: Buffer.from(request).toString('base64'), signerName } };
};

describe('a version that is not the stored one', { concurrency: 32 }, () => {
  const world = serverWorld();
  const { admin } = world;
  const patch = (path: string, body: unknown, type: string): Promise<RawAnswer> =>
    admin.send(path, { method: 'PATCH', body, headers: { 'content-type': `application/${type}` } });

  for (const { resource, deprecation, storedAs, subresources } of servedVersions) {
    const { apiVersion, kind, basePath, namespaced } = resource;
    const inScope = (base: string, plural: string): string =>
      `${base}/${namespaced ? 'namespaces/default/' : ''}${plural}`;
    it(`${apiVersion} ${kind} goes through every verb`, async () => {
      const body = kind === 'CertificateSigningRequest' ? await certificateRequest() : bodyOf(apiVersion, kind);
      assert.ok(body, 'there is a body of the kind');
      const collection = inScope(basePath, resource.resource);
      const name = names[kind] ?? `v-${apiVersion.replace(/[^a-z0-9]/g, '-')}`;
      const path = `${collection}/${name}`;
      const made = { apiVersion, kind, ...body, metadata: { ...(body['metadata'] as Json | undefined), name } };
      const created = await admin.send(`${collection}?fieldValidation=Strict`, { body: made });
      assert.equal(created.code, 201, created.text);
      assert.equal(created.json?.['apiVersion'], apiVersion);
      if (deprecation) assert.ok(String(created.headers['warning']).includes(deprecation), deprecation);

      if (statusKept.has(kind)) await eventually(async () => assert.ok((await admin.send(path)).json?.['status']));
      const read = await admin.send(path);
      if (!statusKept.has(kind)) assert.deepEqual(read.json, created.json);
      const list = await admin.send(`${collection}?fieldSelector=metadata.name=${name}`);
      assert.equal(list.json?.['kind'], `${kind}List`);
      const [item] = list.json['items'] as Json[];
      assert.deepEqual({ apiVersion, kind, ...item }, read.json);
      const { resourceVersion } = metadataOf(read.json);
      const updated = await admin.send(path, { method: 'PUT', body: read.json });
      assert.equal(metadataOf(updated.json)['resourceVersion'], resourceVersion, 'writing it back changes nothing');

      for (const type of ['merge-patch+json', 'strategic-merge-patch+json']) {
        const patched = await patch(path, { metadata: { labels: { type: type.slice(0, 5) } } }, type);
        assert.equal(patched.code, 200, patched.text);
        assert.equal(patched.json?.['apiVersion'], apiVersion);
      }
      const json = await patch(path, [{ op: 'remove', path: '/metadata/labels/type' }], 'json-patch+json');
      assert.equal(json.code, 200, json.text);
      const applied = { apiVersion, kind, metadata: { name, labels: { by: 'apply' } } };
      const owner = await patch(`${path}?fieldManager=test`, applied, 'apply-patch+yaml');
      assert.equal(owner.code, 200, owner.text);
      const entries = metadataOf(owner.json)['managedFields'] as { manager: string; apiVersion: string }[];
      assert.equal(entries.find(({ manager }) => manager === 'test')?.apiVersion, apiVersion);
      if (subresources.includes('status')) {
        const status = await admin.send(`${path}/status`, { method: 'PUT', body: owner.json });
        assert.equal(status.code, 200, status.text);
      }

      const table = await admin.send(path, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
      const { columnDefinitions, rows } = table.json as { columnDefinitions: Json[]; rows: { cells: unknown[] }[] };
      assert.equal(rows[0]?.cells[columnDefinitions.findIndex((column) => column['name'] === 'Name')], name);
      const watched = await admin.send(
        `${collection}?watch=1&resourceVersion=0&timeoutSeconds=1&fieldSelector=metadata.name=${name}`,
      );
      const [event = ''] = watched.text.split('\n');
      const { object } = JSON.parse(event) as { object: Json };
      assert.equal(object['apiVersion'], apiVersion);

      const stored = storedAs?.definition.resource;
      assert.ok(stored);
      const other = await admin.send(`${inScope(stored.basePath, stored.resource)}/${name}`);
      assert.equal(other.json?.['apiVersion'], stored.apiVersion, 'the stored version shows the same object');
      assert.equal(metadataOf(other.json)['uid'], metadataOf(read.json)['uid']);
      const gone = await admin.send(`${collection}?fieldSelector=metadata.name=${name}`, { method: 'DELETE' });
      assert.equal(gone.code, 200, gone.text);
      assert.equal((await admin.send(path)).code, 404);
    });
  }

  const specOf = ({ json }: RawAnswer): Json => (json as { spec: Json }).spec;
  const stable = async (path: string): Promise<Json> => specOf(await admin.send(path));

  it('turns the backends of an old Ingress into those of v1', async () => {
    const collection = '/apis/extensions/v1beta1/namespaces/default/ingresses';
    await admin.send(collection, { body: { ...bodies['Ingress'], metadata: { name: 'turned' } } });
    const spec = await stable('/apis/networking.k8s.io/v1/namespaces/default/ingresses/turned');
    assert.deepEqual(spec['defaultBackend'], { service: { name: 's', port: { name: 'http' } } });
    assert.deepEqual((spec['rules'] as { http: { paths: Json[] } }[])[0]?.http.paths[0], {
      path: '/',
      pathType: 'ImplementationSpecific',
      backend: { service: { name: 's', port: { number: 80 } } },
    });
  });

  it('gives an old Deployment the defaults of its version', async () => {
    const collection = '/apis/extensions/v1beta1/namespaces/default/deployments';
    const body = { metadata: { name: 'old' }, spec: { template, rollbackTo: { revision: 3 } } };
    await admin.send(collection, { body });
    const spec = await stable('/apis/apps/v1/namespaces/default/deployments/old');
    assert.deepEqual(spec['selector'], selector);
    assert.equal(spec['progressDeadlineSeconds'], 0x7fffffff);
    assert.deepEqual((spec['strategy'] as Json)['rollingUpdate'], { maxUnavailable: 1, maxSurge: 1 });
    assert.equal(spec['rollbackTo'], undefined);
  });

  it('keeps in annotations of autoscaling/v1 what it has no field for', async () => {
    const collection = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
    const cpu = {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
    };
    const hits = {
      type: 'Pods',
      pods: { metric: { name: 'hits', selector }, target: { type: 'AverageValue', averageValue: '5' } },
    };
    const body = {
      metadata: { name: 'lossless' },
      spec: { ...autoscaled, metrics: [cpu, hits], behavior: { scaleDown: { selectPolicy: 'Disabled' } } },
    };
    const created = await admin.send(collection, { body });
    assert.equal(created.code, 201, created.text);
    const old = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/lossless';
    const shown = await admin.send(old);
    assert.equal(specOf(shown)['targetCPUUtilizationPercentage'], 70);
    await admin.send(old, { method: 'PUT', body: shown.json });
    assert.deepEqual(await stable(`${collection}/lossless`), specOf(created));
  });

  it('keeps what autoscaling/v1 says of the use of the processor', async () => {
    const path = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers';
    await admin.send(path, { body: { metadata: { name: 'used' }, spec: autoscaled } });
    const status = { currentReplicas: 1, desiredReplicas: 2, currentCPUUtilizationPercentage: 0 };
    const made = await patch(`${path}/used/status`, { status }, 'merge-patch+json');
    assert.deepEqual((JSON.parse(made.text) as { status: Json }).status, status);
  });

  it('says that an empty selector of a budget found nothing before v1', async () => {
    const collection = '/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets';
    const made = await admin.send(collection, {
      body: { ...bodies['PodDisruptionBudget'], metadata: { name: 'none' } },
    });
    assert.deepEqual(specOf(made)['selector'], {});
    const { matchExpressions } = (await stable('/apis/policy/v1/namespaces/default/poddisruptionbudgets/none'))[
      'selector'
    ] as { matchExpressions: { operator: string }[] };
    assert.equal(matchExpressions[0]?.operator, 'Exists');
  });

  it('keeps requests for devices and devices themselves in the form of v1', async () => {
    const claims = (version: string): string => `/apis/resource.k8s.io/${version}/namespaces/default/resourceclaims`;
    await admin.send(claims('v1beta1'), {
      body: { metadata: { name: 'flat' }, ...laterBodies['resource.k8s.io/v1beta1 ResourceClaim'] },
    });
    const requestOf = async (version: string): Promise<Json | undefined> => {
      const { devices } = await stable(`${claims(version)}/flat`);
      return (devices as { requests: Json[] }).requests[0];
    };
    const request = { ...exactly, allocationMode: 'ExactCount' };
    assert.deepEqual(await requestOf('v1'), { name: 'r', exactly: request });
    assert.deepEqual(await requestOf('v1beta2'), { name: 'r', exactly: request });
    assert.deepEqual(await requestOf('v1beta1'), { name: 'r', ...request });
    const slices = (version: string): string => `/apis/resource.k8s.io/${version}/resourceslices`;
    await admin.send(slices('v1beta1'), {
      body: { metadata: { name: 'boxed' }, ...laterBodies['resource.k8s.io/v1beta1 ResourceSlice'] },
    });
    assert.deepEqual((await stable(`${slices('v1')}/boxed`))['devices'], [
      { name: 'd', attributes: { model: { string: 'x' } } },
    ]);
  });

  it('refuses a field that the version does not have', async () => {
    const body = { metadata: { name: 'x' }, spec: { defaultBackend: { service: { name: 's', port: { number: 1 } } } } };
    const answer = await admin.send(
      '/apis/networking.k8s.io/v1beta1/namespaces/default/ingresses?fieldValidation=Strict',
      {
        body,
      },
    );
    assert.equal(answer.code, 400);
    assert.match(answer.text, /unknown field \\"spec.defaultBackend\\"/);
  });
});
