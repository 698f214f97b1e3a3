import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as resources from '../../shared/api/generated/resources.js';
import type {
  CertificateSigningRequest,
  ConfigMap,
  Event,
  Lease,
  Namespace,
  Node,
  Secret,
} from '../../shared/api/generated/types.js';
import {
  certificateSigningRequestDefinition,
  prepareForApproval,
  validateApproval,
} from './certificatesigningrequest.js';
import { configMapDefinition } from './configmap.js';
import { controllerRevisionDefinition } from './controllerrevision.js';
import { endpointsDefinition } from './endpoints.js';
import { endpointSliceDefinition } from './endpointslice.js';
import { eventDefinition, eventsV1EventDefinition } from './event.js';
import { definitions } from './index.js';
import { leaseDefinition } from './lease.js';
import { namespaceDefinition } from './namespace.js';
import { nodeDefinition } from './node.js';
import { priorityClassDefinition } from './priorityclass.js';
import { secretDefinition } from './secret.js';
import { createErrors, meta, updateErrors } from './testing.js';

const cluster = (name: string) => {
  const { namespace: _namespace, ...rest } = meta(name);
  return rest;
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('every definition names a resource of its own, with a name and an age', () => {
  const keys = definitions.map(({ resource }) => `${resource.apiVersion}/${resource.resource}`);
  assert.equal(new Set(keys).size, keys.length);
  const { olderResources, ...newer } = resources;
  const known: readonly unknown[] = [...Object.values(newer), ...Object.values(olderResources)];
  for (const { resource, columns, strategy } of definitions) {
    assert.ok(known.includes(resource), resource.kind);
    assert.ok(
      columns.some(({ name }) => name === 'Name'),
      resource.kind,
    );
    assert.ok(strategy.validate && strategy.validateUpdate && strategy.validateStatusUpdate, resource.kind);
  }
});

test('a config map has good keys, a bounded size, and can be frozen', () => {
  const configMap = (more: Partial<ConfigMap>): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: meta('c'),
    ...more,
  });
  const table: [Partial<ConfigMap>, RegExp][] = [
    [
      { data: { 'a/b': '' } },
      /^data\[a\/b\]: Invalid value: "a\/b": a valid config key must consist of alphanumeric characters/,
    ],
    [{ data: { '..': '' } }, /^data\[\.\.\]: Invalid value: "\.\.": must not be '\.\.'$/],
    [
      { data: { a: '' }, binaryData: { a: '' } },
      /^data\[a\]: Invalid value: "a": duplicate of key present in binaryData$/,
    ],
    [{ binaryData: { a: '%%%' } }, /^binaryData\[a\]: Invalid value: "<contents redacted>": illegal base64 data$/],
    [{ data: { a: 'x'.repeat(1024 * 1024 + 1) } }, /^\[\]: Too long: may not be more than 1048576 bytes$/],
  ];
  for (const [more, expected] of table)
    assert.match(createErrors(configMapDefinition, configMap(more)).join('\n'), expected);
  const frozen = configMap({ data: { a: 'b' }, immutable: true });
  const change = (object: ConfigMap): void => {
    object.immutable = false;
    object.data = {};
  };
  assert.deepEqual(updateErrors(configMapDefinition, frozen, change), [
    'immutable: Forbidden: field is immutable when `immutable` is set',
    'data: Forbidden: field is immutable when `immutable` is set',
  ]);
});

test('a secret merges stringData and has what its type needs', () => {
  const secret = (more: Partial<Secret>): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: meta('s'),
    ...more,
  });
  const given = secret({ data: { a: base64('1'), b: base64('2') }, stringData: { b: 'x', __proto__x: 'y' } });
  assert.deepEqual(createErrors(secretDefinition, given), []);
  assert.deepEqual(given.data, { a: base64('1'), b: base64('x'), __proto__x: base64('y') });
  assert.equal(given.type, 'Opaque');
  assert.equal(given.stringData, undefined);
  const table: [Partial<Secret>, string[]][] = [
    [{ type: 'kubernetes.io/tls' }, ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
    [{ type: 'kubernetes.io/dockerconfigjson' }, ['data[.dockerconfigjson]: Required value']],
    [
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('hunter2') } },
      ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be a JSON object'],
    ],
    [
      { type: 'kubernetes.io/service-account-token' },
      ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    ],
    [{ type: 'kubernetes.io/basic-auth', data: { username: '' } }, []],
    [{ type: 'kubernetes.io/ssh-auth' }, ['data[ssh-privatekey]: Required value']],
  ];
  for (const [more, expected] of table) assert.deepEqual(createErrors(secretDefinition, secret(more)), expected);
  assert.deepEqual(
    updateErrors(secretDefinition, secret({}), (object) => (object.type = 'other')),
    ['type: Invalid value: "other": field is immutable'],
  );
});

test('a namespace carries its name as a label and the finalizer that empties it', () => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: cluster('team') } as Namespace;
  assert.deepEqual(createErrors(namespaceDefinition, namespace), []);
  assert.deepEqual(namespace, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { ...cluster('team'), labels: { 'kubernetes.io/metadata.name': 'team' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
  const dotted = { apiVersion: 'v1', kind: 'Namespace', metadata: cluster('a.b') } as Namespace;
  assert.match(
    createErrors(namespaceDefinition, dotted).join('\n'),
    /^metadata\.name: Invalid value: "a\.b": must not contain dots/,
  );
  const named = { apiVersion: 'v1', kind: 'Namespace', metadata: meta('a') } as Namespace;
  assert.deepEqual(createErrors(namespaceDefinition, named), [
    'metadata.namespace: Forbidden: not allowed on this type',
  ]);
});

test('a node keeps its range and has one taint for each key and effect', () => {
  const node = (spec: Node['spec']): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: cluster('n'),
    spec: spec ?? {},
  });
  const given = node({ podCIDR: '10.244.1.0/24' });
  assert.deepEqual(createErrors(nodeDefinition, given), []);
  assert.deepEqual(given.spec?.podCIDRs, ['10.244.1.0/24']);
  assert.deepEqual(
    updateErrors(nodeDefinition, given, (object) => (object.spec = { podCIDRs: ['10.244.2.0/24'] })),
    ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
  );
  const taint = { key: 'a', effect: 'NoSchedule' };
  assert.deepEqual(createErrors(nodeDefinition, node({ taints: [taint, taint, { key: 'b', effect: 'Never' }] })), [
    'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair',
    'metadata.taints[2].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ]);
  const registering = node({});
  registering.status = { capacity: { cpu: '2000m', memory: '1048576Ki' } };
  createErrors(nodeDefinition, registering);
  assert.deepEqual(registering.status.allocatable, { cpu: '2', memory: '1Gi' });
});

test('endpoints are addresses that others can reach', () => {
  const endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: meta('e'),
    subsets: [{ addresses: [{ ip: '127.0.0.1' }] }, {}],
  };
  assert.deepEqual(createErrors(endpointsDefinition, endpoints), [
    'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    'subsets[1]: Required value: must specify `addresses` or `notReadyAddresses`',
  ]);
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: meta('e'),
    addressType: 'IPv4',
    endpoints: [{ addresses: ['::1'] }, { addresses: [] }],
    ports: [{ port: 80 }, { port: 81 }],
  };
  assert.deepEqual(createErrors(endpointSliceDefinition, slice), [
    'endpoints[0].addresses[0]: Invalid value: "::1": must be a valid IPv4 address',
    'endpoints[1].addresses: Required value: must contain at least 1 address',
    'ports[1].name: Duplicate value: ""',
  ]);
});

test('an event belongs to the namespace of its object', () => {
  const event = (more: Partial<Event>): Event => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: meta('e'),
    involvedObject: {},
    ...more,
  });
  assert.deepEqual(createErrors(eventDefinition, event({})), []);
  assert.deepEqual(createErrors(eventDefinition, event({ involvedObject: { namespace: 'other' } })), [
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ]);
  assert.deepEqual(createErrors(eventsV1EventDefinition, event({ count: 1 })), [
    'eventTime: Required value',
    'type: Invalid value: "": has invalid value: ',
    'count: Invalid value: "": needs to be unset',
  ]);
});

test('a lease, a priority class and a revision have their rules', () => {
  const lease: Lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: meta('l'),
    spec: { leaseDurationSeconds: 0 },
  };
  assert.deepEqual(createErrors(leaseDefinition, lease), [
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ]);
  const priority = (name: string, value: number) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: cluster(name),
    value,
  });
  assert.deepEqual(createErrors(priorityClassDefinition, priority('system-node-critical', 2000001000)), []);
  assert.deepEqual(createErrors(priorityClassDefinition, priority('high', 1000000001)), [
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ]);
  assert.deepEqual(createErrors(priorityClassDefinition, priority('system-mine', 1)), [
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
  ]);
  assert.deepEqual(
    updateErrors(priorityClassDefinition, priority('a', 1), (object) => (object.value = 2)),
    ['value: Forbidden: may not be changed in an update.'],
  );
  const revision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: meta('r'),
    revision: 1,
    data: { a: 1 },
  };
  assert.deepEqual(
    updateErrors(controllerRevisionDefinition, revision, (object) => (object.data = { a: 2 })),
    ['data: Invalid value: {"a":2}: field is immutable'],
  );
});

const csr = (): CertificateSigningRequest => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: cluster('node:one'),
  spec: {
    request: base64(
      `-----BEGIN CERTIFICATE REQUEST-----\n${base64(`\x30${'x'.repeat(40)}`)}\n-----END CERTIFICATE REQUEST-----\n`,
    ),
    signerName: 'kubernetes.io/kubelet-serving',
    usages: ['digital signature', 'server auth'],
  },
});

test('a signing request is checked', () => {
  const given = csr();
  assert.deepEqual(createErrors(certificateSigningRequestDefinition, given), []);
  const bad = csr();
  bad.spec = { request: base64('x'), signerName: 'nobody', usages: ['flying'], expirationSeconds: 10 };
  const errors = createErrors(certificateSigningRequestDefinition, bad);
  assert.match(errors[0] ?? '', /^spec\.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST$/);
  assert.match(errors[1] ?? '', /^spec\.usages\[0\]: Unsupported value: "flying"/);
  assert.equal(
    errors[2],
    'spec.signerName: Invalid value: "nobody": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
  );
  assert.equal(
    errors[3],
    'spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 600 seconds (10 minutes)',
  );
});

test('only /approval decides on a signing request, and only once', () => {
  const approve = (object: CertificateSigningRequest, type: string): CertificateSigningRequest => ({
    ...object,
    status: { conditions: [...(object.status?.conditions ?? []), { type, status: 'True' }] },
  });
  const old = csr();
  createErrors(certificateSigningRequestDefinition, old);
  const sneaky = approve(old, 'Approved');
  certificateSigningRequestDefinition.strategy.prepareForStatusUpdate?.(sneaky, old);
  assert.equal(sneaky.status?.conditions, undefined);
  const approved = approve(old, 'Approved');
  prepareForApproval(approved, old, '2024-01-01T00:00:00Z');
  assert.deepEqual(validateApproval(approved, old), []);
  assert.equal(approved.status?.conditions?.[0]?.lastUpdateTime, '2024-01-01T00:00:00Z');
  assert.deepEqual(
    validateApproval({ ...approved, status: { conditions: [] } }, approved).map(({ message }) => message),
    ['Forbidden: updates may not remove a condition of type "Approved"'],
  );
  assert.match(validateApproval(approve(approved, 'Denied'), approved)[0]?.message ?? '', /mutually exclusive/);
});
