import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubernetesObject } from '../../shared/api/object.js';
import { equal } from '../validation/equality.js';
import { definitions } from './index.js';
import { meta } from './testing.js';

const container = {
  name: 'c',
  image: 'x:1',
  env: [
    {
      name: 'A',
      valueFrom: {
        fieldRef: { fieldPath: "metadata.labels['a']" },
        resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' },
      },
    },
  ],
  envFrom: [{ prefix: 'P', configMapRef: { name: 'c' }, secretRef: { name: 's' } }],
  ports: [{ name: 'web', containerPort: 80, hostPort: 80, hostIP: '10.0.0.1' }],
  resources: { requests: { cpu: '1', 'example.com/gpu': '1' }, limits: { memory: '1Gi' }, claims: [{ name: 'k' }] },
  livenessProbe: { httpGet: { port: 'web', httpHeaders: [{ name: 'A', value: 'b' }] }, periodSeconds: 5 },
  lifecycle: { preStop: { sleep: { seconds: 3 } }, postStart: { exec: { command: ['a'] } } },
  volumeMounts: [{ name: 'v', mountPath: '/a', subPath: 'b', mountPropagation: 'None', recursiveReadOnly: 'Enabled' }],
  volumeDevices: [{ name: 'd', devicePath: '/dev/x' }],
  securityContext: {
    runAsUser: 1,
    capabilities: { add: ['X'] },
    seccompProfile: { type: 'Localhost', localhostProfile: 'a' },
    appArmorProfile: { type: 'Unconfined' },
  },
  resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
};
const labelSelector = { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] };
const term = { topologyKey: 'k', labelSelector, namespaces: ['a'], matchLabelKeys: ['x'] };
const spec = {
  containers: [container],
  initContainers: [{ ...container, name: 'i', restartPolicy: 'Always' }],
  ephemeralContainers: [{ name: 'e', image: 'i', targetContainerName: 'c' }],
  volumes: [
    {
      name: 'v',
      projected: {
        sources: [{ serviceAccountToken: { path: 't' }, configMap: { name: 'a', items: [{ key: 'k', path: 'p' }] } }],
      },
    },
    { name: 'd', downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.name' } }] } },
    { name: 'h', hostPath: { path: '/x' }, emptyDir: { sizeLimit: '1Gi' }, nfs: { server: 's', path: '/p' } },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }],
            matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }],
          },
        ],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
      ],
    },
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
    podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: term }] },
  },
  tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 5 }],
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'k', whenUnsatisfiable: 'DoNotSchedule', labelSelector, minDomains: 1 },
  ],
  securityContext: { sysctls: [{ name: 'net.x', value: '1' }], supplementalGroups: [1], fsGroup: 2 },
  dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a.b'], options: [{ name: 'x' }] },
  hostAliases: [{ ip: '1.1.1.1', hostnames: ['a'] }],
  readinessGates: [{ conditionType: 'a/b' }],
  schedulingGates: [{ name: 'g' }],
  resourceClaims: [{ name: 'k', resourceClaimName: 'r' }],
  imagePullSecrets: [{ name: 's' }],
  overhead: { cpu: '1m' },
  resources: { limits: { cpu: '4' } },
  nodeSelector: { a: 'b' },
  hostNetwork: true,
  os: { name: 'linux' },
};
const status = {
  name: 'c',
  image: 'i',
  imageID: '',
  ready: true,
  restartCount: 1,
  state: { waiting: { reason: 'X' } },
  lastState: { terminated: { exitCode: 1, finishedAt: '2024-01-01T00:00:00Z' } },
};
const template = { metadata: { labels: { a: 'b' }, annotations: { 'x.y/z': '' } }, spec };
const bodies: Readonly<Record<string, object>> = {
  Pod: {
    spec,
    status: {
      phase: 'Running',
      containerStatuses: [status],
      initContainerStatuses: [{ ...status, name: 'i' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      podIP: '1.1.1.1',
    },
  },
  Deployment: {
    spec: { selector: labelSelector, template, strategy: { rollingUpdate: { maxSurge: '10%' } } },
    status: { replicas: 1 },
  },
  ReplicaSet: { spec: { selector: labelSelector, template } },
  Service: {
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.5',
      ports: [{ name: 'a', port: 80, targetPort: 'x', nodePort: 30000, appProtocol: 'h' }],
      externalIPs: ['1.1.1.1'],
      sessionAffinity: 'ClientIP',
      loadBalancerSourceRanges: ['1.0.0.0/8'],
      ipFamilies: ['IPv4'],
    },
    status: { loadBalancer: { ingress: [{ ip: '1.1.1.1' }] } },
  },
  Node: {
    spec: { podCIDR: '10.0.0.0/24', taints: [{ key: 'a', effect: 'NoSchedule' }] },
    status: {
      capacity: { cpu: '1' },
      addresses: [{ type: 'InternalIP', address: '1.1.1.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: { kubeletVersion: 'v1' },
    },
  },
  Namespace: { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } },
  ConfigMap: { data: { a: 'b' }, binaryData: { c: 'AA==' }, immutable: true },
  Secret: { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'e30=' }, stringData: { a: 'b' } },
  Endpoints: {
    subsets: [{ addresses: [{ ip: '1.1.1.1', hostname: 'a', nodeName: 'n' }], ports: [{ port: 1, name: 'a' }] }],
  },
  EndpointSlice: {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['1.1.1.1'], hostname: 'h', hints: { forZones: [{ name: 'z' }] } }],
    ports: [{ port: 1, name: 'a' }],
  },
  Event: {
    involvedObject: { kind: 'Pod', name: 'p' },
    regarding: { kind: 'Pod' },
    eventTime: '2024-01-01T00:00:00Z',
    series: { count: 2, lastObservedTime: '2024-01-01T00:00:00Z' },
    source: { component: 'c' },
  },
  Lease: { spec: { holderIdentity: 'h', leaseDurationSeconds: 1, leaseTransitions: 1 } },
  CustomResourceDefinition: {
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'as', singular: 'a', kind: 'A', listKind: 'AList', shortNames: ['x'], categories: ['all'] },
      conversion: {
        strategy: 'Webhook',
        webhook: { clientConfig: { url: 'https://a' }, conversionReviewVersions: ['v1'] },
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          deprecated: true,
          deprecationWarning: 'old',
          subresources: { status: {}, scale: { specReplicasPath: '.spec.a', statusReplicasPath: '.status.a' } },
          additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.spec.a' }],
          selectableFields: [{ jsonPath: '.spec.a' }],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  required: ['a'],
                  properties: {
                    a: { type: 'string', enum: ['x'], pattern: '^a$', default: 'x', maxLength: 3 },
                    b: {
                      type: 'array',
                      'x-kubernetes-list-type': 'map',
                      'x-kubernetes-list-map-keys': ['k'],
                      items: { type: 'object', properties: { k: { type: 'string', default: 'd' } } },
                    },
                    c: { type: 'object', additionalProperties: { type: 'integer', minimum: 1 } },
                  },
                  'x-kubernetes-validations': [{ rule: 'self.a == oldSelf.a', message: 'm', fieldPath: '.a' }],
                  anyOf: [{ required: ['a'] }, { not: { required: ['b'] } }],
                },
              },
            },
          },
        },
      ],
    },
    status: {
      conditions: [{ type: 'Established', status: 'True' }],
      storedVersions: ['v1'],
      acceptedNames: { plural: 'as', kind: 'A' },
    },
  },
  ControllerRevision: { revision: 1, data: { a: 1 } },
  PriorityClass: { value: 1, globalDefault: true },
  CertificateSigningRequest: {
    spec: { request: 'AA==', signerName: 'a.b/c', usages: ['any'], expirationSeconds: 700 },
    status: { conditions: [{ type: 'Approved', status: 'True' }], certificate: 'AA==' },
  },
};

type Tree = Record<string, unknown> | unknown[];
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;

/** Every place below, as the tree that holds it and its key there. */
function places(tree: Tree): [Tree, string][] {
  return Object.entries(tree).flatMap(([key, value]) => [
    [tree, key] as [Tree, string],
    ...(isTree(value) ? places(value) : []),
  ]);
}

const STRINGS = [
  '',
  'x',
  '-',
  '..',
  'Always',
  '1e999',
  'a/b/c',
  '10.0.0.1',
  '\u0000',
  'é'.repeat(300),
  '9'.repeat(40),
  '__proto__',
];
const NUMBERS = [0, -1, 1, 65536, 2 ** 31, Number.MAX_SAFE_INTEGER];

/** Takes a place away, or puts another value of the same type there: what a client can send of the right structure. */
function disturb(root: Tree, where: number, how: number): void {
  const all = places(root);
  const [tree, key] = all[where % all.length] ?? [root, ''];
  const value = (tree as Record<string, unknown>)[key];
  if (how % 3 === 0) {
    if (Array.isArray(tree)) tree.splice(Number(key), 1);
    else delete tree[key];
  } else if (typeof value === 'string') (tree as Record<string, unknown>)[key] = STRINGS[how % STRINGS.length];
  else if (typeof value === 'number') (tree as Record<string, unknown>)[key] = NUMBERS[how % NUMBERS.length];
  else if (typeof value === 'boolean') (tree as Record<string, unknown>)[key] = !value;
  else if (Array.isArray(value))
    (tree as Record<string, unknown>)[key] = how % 2 ? [] : [...value, ...(structuredClone(value) as unknown[])];
  else (tree as Record<string, unknown>)[key] = {};
}

const changes = fc.array(fc.tuple(fc.nat(10_000), fc.nat(10_000)), { maxLength: 12 });

for (const definition of definitions) {
  const { resource, strategy, columns, selectableFields } = definition;
  const make = (given: readonly (readonly [number, number])[]): KubernetesObject => {
    const body = structuredClone(bodies[resource.kind] ?? {}) as Record<string, unknown>;
    for (const [where, how] of given) if (Object.keys(body).length > 0) disturb(body, where, how);
    const object = { apiVersion: resource.apiVersion, kind: resource.kind, metadata: meta('a'), ...body };
    return definition.storedAs?.toStored(object) ?? object;
  };

  test(`property: no ${resource.apiVersion} ${resource.kind} of the right structure makes a rule throw`, () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const object = make(first);
        strategy.defaults?.(object);
        const again = structuredClone(object);
        strategy.defaults?.(again);
        assert.ok(equal(object, again), 'defaults are idempotent');
        const old = structuredClone(object);
        strategy.prepareForCreate?.(object);
        const errors = strategy.validate?.(object) ?? [];
        for (const { path, message } of errors) assert.equal(typeof (path + message), 'string');
        const next = make(second);
        strategy.defaults?.(next);
        strategy.prepareForUpdate?.(next, old);
        strategy.validateUpdate?.(next, old);
        const reported = make(second);
        strategy.defaults?.(reported);
        strategy.prepareForStatusUpdate?.(reported, old);
        strategy.validateStatusUpdate?.(reported, old);
        strategy.warnings?.(next, old);
        if (errors.length > 0) return;
        for (const column of columns) assert.notEqual(column.cell(object, 0), undefined, column.name);
        for (const read of Object.values(selectableFields)) assert.equal(typeof read(object), 'string');
        if (definition.scale) assert.equal(typeof definition.scale.getSelector(object), 'string');
      }),
      { numRuns: 150 },
    );
  });
}
