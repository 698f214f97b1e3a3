import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CertificateSigningRequest, Event, Service } from '../../shared/api/generated/types.js';
import * as resources from '../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { eventually } from '../../shared/clock/eventually.js';
import { connectForTest, type ConnectedClient } from './testing.js';
import { serverWorld } from '../testing/server-world.js';

const request = Buffer.from(
  `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(`\x30${'x'.repeat(40)}`).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`,
).toString('base64');
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const jobTemplate = { spec: { ...template.spec, restartPolicy: 'Never' } };
const selector = { matchLabels: { a: 'b' } };

const webhook = {
  name: 'hook.example.com',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { service: { namespace: 'default', name: 'hook' } },
};
const matchConstraints = {
  resourceRules: [{ operations: ['CREATE'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['things'] }],
};
const binding = { policyName: 'minimal', paramRef: { name: 'p' } };

/** A minimal object of every kind. */
const minimal: readonly [Resource, object][] = [
  [resources.namespaces, {}],
  [resources.nodes, { status: { capacity: { cpu: '2' } } }],
  [resources.pods, template],
  [resources.services, { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } }],
  [resources.endpoints, { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }],
  [resources.endpointslices, { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] }],
  [resources.configmaps, { data: { a: 'b' } }],
  [resources.secrets, { stringData: { a: 'b' } }],
  [resources.serviceaccounts, {}],
  [resources.events, { involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, type: 'Normal' }],
  [resources.leases, { spec: { holderIdentity: 'me', renewTime: '2024-01-01T00:00:00.000000Z' } }],
  [resources.replicasets, { spec: { selector, template } }],
  [resources.deployments, { spec: { selector, template } }],
  [resources.daemonsets, { spec: { selector, template } }],
  [
    resources.statefulsets,
    {
      spec: {
        selector,
        template,
        serviceName: 's',
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
  ],
  [resources.jobs, { spec: { template: jobTemplate } }],
  [resources.cronjobs, { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: jobTemplate } } } }],
  [resources.controllerrevisions, { revision: 1, data: { a: 1 } }],
  [resources.priorityclasses, { value: 5 }],
  [resources.replicationcontrollers, { spec: { template } }],
  [resources.podtemplates, { template }],
  [
    resources.flowschemas,
    {
      spec: {
        priorityLevelConfiguration: { name: 'system' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: 'u' } }],
            nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x/*'] }],
          },
        ],
      },
    },
  ],
  [
    resources.prioritylevelconfigurations,
    { spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } } },
  ],
  [resources.deviceclasses, { spec: { selectors: [{ cel: { expression: 'device.driver == "example.com"' } }] } }],
  [
    resources.resourceclaims,
    {
      spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c', tolerations: [{ key: 'k' }] } }] } },
    },
  ],
  [resources.resourceclaimtemplates, { spec: { spec: { devices: { requests: [] } } } }],
  [
    resources.resourceslices,
    {
      spec: {
        driver: 'example.com',
        nodeName: 'n',
        pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
        devices: [
          {
            name: 'd',
            attributes: { model: { string: 'm' } },
            capacity: { memory: { value: '1024Mi' } },
            taints: [{ key: 'k', effect: 'NoSchedule' }],
          },
        ],
      },
    },
  ],
  [resources.limitranges, { spec: { limits: [{ type: 'Container', max: { cpu: '2000m' } }] } }],
  [resources.resourcequotas, { spec: { hard: { pods: '10', 'count/jobs.batch': '2', 'requests.memory': '1024Mi' } } }],
  [resources.runtimeclasses, { handler: 'runc', overhead: { podFixed: { cpu: '0.5' } } }],
  [
    resources.persistentvolumes,
    { spec: { capacity: { storage: '1024Mi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } } },
  ],
  [
    resources.persistentvolumeclaims,
    { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } } },
  ],
  [resources.storageclasses, { provisioner: 'example.com/nfs' }],
  [resources.volumeattributesclasses, { driverName: 'example.com', parameters: { iops: '1' } }],
  [
    resources.volumeattachments,
    { spec: { attacher: 'example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
  ],
  [resources.csidrivers, { spec: {} }],
  [resources.csinodes, { spec: { drivers: [{ name: 'example.com', nodeID: 'n', topologyKeys: ['a'] }] } }],
  [resources.csistoragecapacities, { storageClassName: 'c', capacity: '1024Mi' }],
  [
    resources.horizontalpodautoscalersAutoscalingV2,
    {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        maxReplicas: 3,
        behavior: { scaleDown: { selectPolicy: 'Min' } },
      },
    },
  ],
  [resources.poddisruptionbudgets, { spec: { minAvailable: '50%', selector } }],
  [
    resources.ingresses,
    {
      spec: {
        rules: [
          {
            host: '*.example.com',
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }],
            },
          },
        ],
      },
    },
  ],
  [resources.ingressclasses, { spec: { controller: 'example.com/c', parameters: { kind: 'P', name: 'p' } } }],
  [resources.networkpolicies, { spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] } }],
  [resources.ipaddresses, { spec: { parentRef: { resource: 'services', name: 's', namespace: 'default' } } }],
  [resources.servicecidrs, { spec: { cidrs: ['10.97.0.0/16'] } }],
  [resources.roles, { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }],
  [resources.clusterroles, { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }],
  [resources.rolebindings, { roleRef: { kind: 'ClusterRole', name: 'view' }, subjects: [{ kind: 'User', name: 'u' }] }],
  [resources.clusterrolebindings, { roleRef: { kind: 'ClusterRole', name: 'view' } }],
  [
    resources.certificatesigningrequests,
    { spec: { request, signerName: 'example.com/signer', usages: ['client auth'] } },
  ],
  [resources.mutatingwebhookconfigurations, { webhooks: [webhook] }],
  [resources.validatingwebhookconfigurations, { webhooks: [webhook] }],
  [resources.validatingadmissionpolicies, { spec: { matchConstraints, validations: [{ expression: 'true' }] } }],
  [resources.validatingadmissionpolicybindings, { spec: { ...binding, validationActions: ['Deny'] } }],
  [
    resources.mutatingadmissionpolicies,
    {
      spec: {
        matchConstraints,
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
      },
    },
  ],
  [resources.mutatingadmissionpolicybindings, { spec: binding }],
];

/** The name of an IPAddress is the address. */
const nameOf = ({ kind }: Resource): string => (kind === 'IPAddress' ? '10.96.7.7' : 'minimal');

describe('the first kinds on a real server', () => {
  const world = serverWorld();
  let client: ConnectedClient;
  before(async () => {
    client = await connectForTest(world.server.kubeconfigPath);
  });
  after(async () => {
    client.close();
  });

  const create = async (resource: Resource, name: string, body: object): Promise<KubernetesObject> => {
    const namespace = resource.namespaced ? { namespace: 'default' } : {};
    return client.create(resource as Resource<KubernetesObject>, {
      ...body,
      metadata: { ...(body as KubernetesObject).metadata, name, ...namespace },
    });
  };

  /** The server itself says in the status of some kinds what it makes of them. */
  const settled = (resource: Resource, name: string): Promise<KubernetesObject> =>
    eventually(async () => {
      const namespace = resource.namespaced ? 'default' : undefined;
      const found = await client.get(resource as Resource<KubernetesObject>, name, namespace);
      const { status } = found as { status?: { observedGeneration?: number } };
      if (resource.kind === 'ValidatingAdmissionPolicy') assert.equal(status?.observedGeneration, 1);
      return found;
    });

  for (const [resource, body] of minimal)
    it(`keeps a ${resource.kind} as it is when it is written back unchanged`, async () => {
      await create(resource, nameOf(resource), body);
      const created = await settled(resource, nameOf(resource));
      const typed = resource as Resource<KubernetesObject>;
      const updated = await client.update(typed, structuredClone(created));
      assert.deepEqual(updated, created);
      assert.deepEqual(await client.get(typed, nameOf(resource), created.metadata.namespace), created);
    });

  it('shows one event in both versions', async () => {
    const core = (await create(resources.events, 'both', {
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
      message: 'hello',
      type: 'Normal',
    })) as Event;
    const other = await client.get(resources.eventsEventsV1, 'both', 'default');
    assert.equal(other.note, 'hello');
    assert.deepEqual(other.regarding, core.involvedObject);
    assert.equal(other.metadata.uid, core.metadata.uid);
  });

  it('approves and then signs a request, and neither twice', async () => {
    const typed = resources.certificatesigningrequests as Resource<CertificateSigningRequest & KubernetesObject>;
    const created = (await create(typed, 'sign', {
      spec: { request, signerName: 'example.com/signer', usages: ['client auth'] },
    })) as CertificateSigningRequest & KubernetesObject;
    assert.equal(created.spec.username, 'kubernetes-admin');
    const approved = await client.update(
      typed,
      { ...created, status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test' }] } },
      { subresource: 'approval' },
    );
    assert.equal(approved.status?.conditions?.[0]?.reason, 'Test');
    assert.ok(approved.status.conditions[0]?.lastTransitionTime);
    const certificate = Buffer.from('-----BEGIN CERTIFICATE-----\n').toString('base64');
    const signed = await client.updateStatus(typed, { ...approved, status: { certificate } });
    assert.equal(signed.status?.certificate, certificate);
    assert.equal(signed.status.conditions?.[0]?.type, 'Approved');
    await assert.rejects(
      client.update(typed, { ...signed, status: { conditions: [] } }, { subresource: 'approval' }),
      /updates may not remove a condition of type "Approved"/,
    );
  });

  it('turns a load balancer into a cluster service and into an external name', async () => {
    const typed = resources.services as Resource<Service & KubernetesObject>;
    await create(typed, 'turning', { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } });
    const inner = await client.patch(typed, 'turning', 'default', 'merge', { spec: { type: 'ClusterIP' } });
    assert.equal(inner.spec?.ports?.[0]?.nodePort, undefined);
    assert.equal(inner.spec.externalTrafficPolicy, undefined);
    assert.ok(inner.spec.clusterIP);
    const outer = await client.patch(typed, 'turning', 'default', 'merge', {
      spec: { type: 'ExternalName', externalName: 'example.com' },
    });
    assert.equal(outer.spec?.clusterIP, undefined);
  });

  it('tells what is wrong with a pod in one message with a cause for each field', async () => {
    await assert.rejects(
      create(resources.pods, 'Bad', { spec: { containers: [{ name: 'c' }] } }),
      (error: Error & { details?: { causes?: readonly { field?: string }[] } }) => {
        assert.match(
          error.message,
          /^Pod "Bad" is invalid: \[metadata\.name: Invalid value: "Bad": .*, spec\.containers\[0\]\.image: Required value\]$/,
        );
        assert.deepEqual(
          error.details?.causes?.map(({ field }) => field),
          ['metadata.name', 'spec.containers[0].image'],
        );
        return true;
      },
    );
  });
});
