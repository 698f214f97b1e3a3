import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../shared/api/json.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { decodeBody } from '../decode/decode.js';
import type { SchemaType } from '../schema/schema-type.js';
import { loadSchemas } from '../schema/schemas.js';
import { checkStructure } from '../schema/structure.js';
import { definitions } from '../kinds/index.js';
import { ProtobufCodec } from './codec.js';
import { loadMessages, type Message } from './messages.js';
import { goName, objectOf } from './testing/arbitrary-object.js';
import { ProtobufWriter } from './wire.js';

const schemas = loadSchemas();
const codec = new ProtobufCodec(schemas);
const bytesOf = (write: (writer: ProtobufWriter) => void): Buffer => {
  const writer = new ProtobufWriter();
  write(writer);
  return writer.finish();
};
const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    bytesOf((w) => w.message(1, (type) => type.string(1, apiVersion).string(2, kind)).bytes(2, raw)),
  ]);
const roundTrip = (object: JsonObject): JsonObject => codec.decode(codec.encode(object) ?? Buffer.alloc(0));

test('a body is the bytes that the original writes', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } };
  const hex = [
    '6b387300', // k8s\0
    '0a0f' + '0a027631' + '1209436f6e6669674d6170', // 1: typeMeta { 1: v1, 2: ConfigMap }
    '120d' + '0a03' + '0a0161' + '1206' + '0a016b' + '120176', // 2: raw { 1: metadata { 1: a }, 2: { 1: k, 2: v } }
    '1a00' + '2200', // 3, 4: encoding and type, empty
  ].join('');
  assert.equal(codec.encode(object)?.toString('hex'), hex);
  assert.deepEqual(codec.decode(Buffer.from(hex, 'hex')), object);
});

test('a deployment travels there and back', () => {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      labels: { app: 'web' },
      creationTimestamp: '2026-01-01T00:00:00Z',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'u', controller: false }],
      managedFields: [
        {
          manager: 'm',
          operation: 'Update',
          apiVersion: 'apps/v1',
          time: '2026-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': { 'f:replicas': {} } },
        },
      ],
    },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['b', 'c'] }] },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
      template: {
        metadata: {},
        spec: {
          containers: [
            {
              name: 'c',
              resources: { limits: { cpu: '500m', memory: '1Gi' } },
              ports: [{ containerPort: 80, protocol: 'TCP' }],
              readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 5 },
              env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } }],
              securityContext: { runAsUser: 0, privileged: false, capabilities: { drop: ['ALL'] } },
            },
          ],
          volumes: [
            { name: 'a', emptyDir: {} },
            { name: 'b', configMap: { name: 'cm', defaultMode: 420 } },
          ],
          terminationGracePeriodSeconds: 0,
        },
      },
    },
  };
  assert.deepEqual(roundTrip(object), object);
});

test('a zero that is a value of its own travels, and one that says that nothing is set does not', () => {
  const claim = (apiGroup: string, storageClassName: string): JsonObject => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c' },
    spec: { dataSource: { apiGroup, kind: 'PersistentVolumeClaim', name: 'x' }, storageClassName },
  });
  assert.deepEqual(roundTrip(claim('', '')), claim('', ''));
  const slice = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: {}, addressType: 'IPv4' };
  const ports = [{ name: '', port: 0, protocol: 'TCP', appProtocol: '' }];
  assert.deepEqual(roundTrip({ ...slice, endpoints: [], ports }), { ...slice, ports });
  const webhook = { name: 'a.b.c', clientConfig: { url: '' }, timeoutSeconds: 0, failurePolicy: '' };
  const hooks = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', metadata: {} };
  assert.deepEqual(roundTrip({ ...hooks, webhooks: [webhook] }), { ...hooks, webhooks: [webhook] });
  // Of the same name, and no pointer there: another message, or another version of it.
  const probe = { tcpSocket: { port: 80 }, timeoutSeconds: 0 };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: {} };
  const spec = (livenessProbe: object): JsonObject => ({
    ...pod,
    spec: { containers: [{ name: 'c', livenessProbe }] },
  });
  assert.deepEqual(roundTrip(spec(probe)), spec({ tcpSocket: { port: 80 } }));
  const resourceSlice = (version: string): JsonObject => ({
    apiVersion: `resource.k8s.io/${version}`,
    kind: 'ResourceSlice',
    metadata: {},
    spec: { driver: 'd', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, allNodes: false },
  });
  const allNodes = (version: string): unknown =>
    (roundTrip(resourceSlice(version)) as { spec: { allNodes?: boolean } }).spec.allNodes;
  assert.equal(allNodes('v1'), false);
  assert.equal(allNodes('v1beta1'), undefined);
});

test('a null in a map is what nothing stands for', () => {
  const budget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {},
    status: { disruptedPods: { a: null, b: '2026-01-01T00:00:00Z' } },
  };
  const { status } = roundTrip(budget) as { status: { disruptedPods: unknown } };
  assert.deepEqual(status.disruptedPods, budget.status.disruptedPods);
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { a: null }, binaryData: { b: null } };
  assert.deepEqual(roundTrip(map), { ...map, data: { a: '' }, binaryData: { b: '' } });
});

test('other forms: bytes, microseconds, raw JSON, lists of lists, inlined structs', () => {
  const objects: JsonObject[] = [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { a: 'aGk=' }, type: 'Opaque' },
    {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'l' },
      spec: { renewTime: '2026-01-01T00:00:00.123456Z', leaseTransitions: 0 },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'r' },
      data: { spec: { $patch: 'replace', n: null } },
      revision: 3,
    },
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token: 't' },
      status: { authenticated: true, user: { username: 'u', extra: { a: ['x', 'y'] } } },
    },
    { apiVersion: 'apps/v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Foreground' },
    { apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: '5' }, items: [{ metadata: { name: 'p' } }] },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [], ephemeralContainers: [{ name: 'e', image: 'i', targetContainerName: 't' }] },
    },
  ];
  for (const object of objects) {
    const { kind } = object;
    const back = roundTrip(object);
    if (kind === 'Pod')
      assert.deepEqual(back, {
        ...object,
        spec: { ephemeralContainers: [{ name: 'e', image: 'i', targetContainerName: 't' }] },
      });
    else assert.deepEqual(back, object);
  }
});

test('what Go writes for fields that are not set is not set, but for pointers', () => {
  const probe = bytesOf((w) => w.varint(2, 0).varint(3, 0));
  const container = bytesOf((w) => w.string(1, 'c').string(2, '').bytes(10, probe).bool(16, false));
  const spec = bytesOf((w) => w.bytes(2, container).string(3, '').varint(4, 0).bool(11, false));
  const raw = bytesOf((w) =>
    w.message(1, (m) => m.string(1, 'p').string(2, '').bytes(8, Buffer.alloc(0))).bytes(2, spec),
  );
  assert.deepEqual(codec.decode(envelope('v1', 'Pod', raw)), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', livenessProbe: {} }], terminationGracePeriodSeconds: 0 },
  });
});

test('a zero where nothing could have stood is a value', () => {
  const objects: JsonObject[] = [
    { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'p' }, spec: { fc: { lun: 0, wwids: ['w'] } } },
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'c' }, spec: { storageClassName: '' } },
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec: { holderIdentity: '' } },
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'r' },
      status: { replicas: 0, terminatingReplicas: 0 },
    },
    {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      metadata: { name: 's' },
      spec: {
        driver: 'd',
        pool: { name: 'p', generation: 0, resourceSliceCount: 1 },
        allNodes: false,
        devices: [{ name: 'd', attributes: { a: { bool: false }, b: { int: 0 }, c: { string: '' } } }],
      },
    },
  ];
  for (const object of objects) assert.deepEqual(roundTrip(object), object);
  // The same names where they are no pointers: Go writes them always.
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'p' },
    spec: { capacity: { a: '1' } },
  };
  const unset = { ...volume, spec: { ...volume.spec, storageClassName: '' } };
  assert.deepEqual(roundTrip(unset), volume);
});

test('unknown kinds come back bare, and are not encoded', () => {
  assert.deepEqual(codec.decode(envelope('example.com/v1', 'Widget', Buffer.from('x'))), {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
  });
  assert.equal(codec.encode({ apiVersion: 'example.com/v1', kind: 'Widget' }), undefined);
});

test('every field of every built-in kind has a number', () => {
  const messages = loadMessages(schemas);
  const missing: string[] = [];
  const seen = new Set<string>();
  const numbered = (message: Message): string[] =>
    message.fields.flatMap(({ field, inlined }) => (inlined ? numbered(inlined) : field ? [field.name] : []));
  const visit = (type: SchemaType, wireType: string): void => {
    if (type.kind === 'list') return visit(type.items, wireType);
    if (type.kind === 'map') return visit(type.values, wireType);
    if (type.kind !== 'struct' || seen.has(type.definition)) return;
    seen.add(type.definition);
    const message = messages.messageOf(type, wireType === '' ? undefined : wireType);
    const known = new Set(numbered(message));
    const name = goName(type);
    for (const field of type.fields.keys()) {
      const isTypeMeta = type.fields.has('metadata') && (field === 'apiVersion' || field === 'kind');
      if (!known.has(field) && !isTypeMeta) missing.push(`${name}.${field}`);
    }
    for (const one of message.fields) if (one.field) visit(one.field.type, one.wireType);
  };
  for (const { resource } of definitions) visit(schemas.type(resource.definition ?? ''), '');
  assert.deepEqual(missing, []);
});

test('whatever fits the type of a built-in kind comes back as it was', () => {
  for (const { resource } of definitions) {
    const { apiVersion, kind, definition = '' } = resource;
    const type = schemas.type(definition);
    fc.assert(
      fc.property(objectOf(type, 0), (fields) => {
        const object = { apiVersion, kind, ...fields };
        assert.deepEqual(checkStructure(roundTrip(object), type).object, checkStructure(object, type).object);
      }),
      { numRuns: 8 },
    );
  }
});

test('schemas of custom resources travel in all their forms', () => {
  const openAPIV3Schema = {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    default: { a: [1, null, false] },
    enum: ['a', 1, null],
    minimum: 0,
    maximum: 1.5,
    multipleOf: 0.1,
    minLength: 0,
    properties: {
      list: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      several: { type: 'array', items: [{ type: 'string' }, { type: 'integer' }] },
      open: { type: 'object', additionalProperties: true },
      closed: { type: 'object', additionalProperties: false },
      typed: { type: 'object', additionalProperties: { type: 'integer', format: 'int64' } },
      linked: { type: 'object', dependencies: { a: ['b', 'c'], d: { required: ['e'] } } },
    },
    'x-kubernetes-validations': [{ rule: 'self.a > 0', message: 'm', optionalOldSelf: false }],
  };
  const object = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      names: { plural: 'widgets', kind: 'Widget' },
      scope: 'Namespaced',
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} } },
      ],
    },
  };
  assert.deepEqual(roundTrip(object), object);
});

test('metadata and the documents of discovery have a form of their own', () => {
  const partial = {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'PartialObjectMetadata',
    metadata: { name: 'a', labels: { b: 'c' } },
  };
  const metadata = bytesOf((w) => w.string(1, 'a').message(11, (entry) => entry.string(1, 'b').string(2, 'c')));
  const raw = bytesOf((w) => w.bytes(1, metadata));
  assert.deepEqual(
    codec.encode(partial),
    Buffer.concat([envelope(partial.apiVersion, partial.kind, raw), Buffer.from('1a002200', 'hex')]),
  );
  const listOf = (apiVersion: string): Buffer | undefined =>
    codec.message({
      apiVersion,
      kind: 'PartialObjectMetadataList',
      metadata: { resourceVersion: '7' },
      items: [partial],
    });
  const head = bytesOf((w) => w.string(2, '7'));
  assert.deepEqual(
    listOf('meta.k8s.io/v1'),
    bytesOf((w) => w.bytes(1, head).bytes(2, raw)),
  );
  // The older one was made the other way round.
  assert.deepEqual(
    listOf('meta.k8s.io/v1beta1'),
    bytesOf((w) => w.bytes(2, head).bytes(1, raw)),
  );
  const resources = {
    apiVersion: 'v1',
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list'] }],
  };
  assert.deepEqual(roundTrip(resources), resources);
});

test('hostile bytes are a 400', () => {
  const deep = Array.from({ length: 5000 }).reduce<Buffer>(
    (inner) => bytesOf((w) => w.bytes(2, inner)),
    Buffer.alloc(0),
  );
  const bodies = [
    Buffer.alloc(0),
    Buffer.from('{}'),
    Buffer.from('k8s\0'),
    Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(40, 0xff)]),
    envelope('v1', 'Pod', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])),
    envelope('v1', 'Pod', Buffer.alloc(100, 0x80)),
    envelope('v1', 'Pod', deep),
    envelope('v1', 'Pod', Buffer.from([0x0b, 0x0c])),
    envelope(
      'apps/v1',
      'ControllerRevision',
      bytesOf((w) => w.message(2, (m) => m.string(1, '{"a"'))),
    ),
  ];
  const options = {
    expected: { apiVersion: 'v1', kind: 'Pod' },
    structure: schemas.type('io.k8s.api.core.v1.Pod'),
    decodeProtobuf: (bytes: Uint8Array) => codec.decode(bytes),
  };
  const decode = (bytes: Buffer): number => {
    try {
      decodeBody(bytes, 'application/vnd.kubernetes.protobuf', options);
      return 200;
    } catch (error) {
      assert.ok(error instanceof StatusError, String(error));
      return error.code;
    }
  };
  for (const body of bodies) assert.ok([200, 400].includes(decode(body)), body.subarray(0, 20).toString('hex'));
  assert.equal(decode(Buffer.from('{}')), 400);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decode(envelope('v1', 'Pod', Buffer.from(bytes)))),
    {
      numRuns: 500,
    },
  );
});

test('broken bytes of any kind are read as something or refused, also deep inside schemas', () => {
  const refusal = (bytes: Uint8Array): number => {
    try {
      codec.decode(bytes);
      return 200;
    } catch (error) {
      assert.ok(error instanceof StatusError, String(error));
      return error.code;
    }
  };
  for (const { resource } of definitions) {
    const { apiVersion, kind, definition = '' } = resource;
    const broken = fc.tuple(
      objectOf(schemas.type(definition), 0),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
    );
    const property = fc.property(broken, ([fields, changes]) => {
      const message = codec.message({ apiVersion, kind, ...fields }) ?? Buffer.alloc(0);
      for (const [at, byte] of changes) if (message.length > 0) message[at % message.length] = byte;
      assert.ok([200, 400].includes(refusal(envelope(apiVersion, kind, message))));
    });
    fc.assert(property, { numRuns: 10 });
  }
  // additionalProperties of additionalProperties ...: each level is a message in a union.
  let schema = bytesOf((w) => w.string(5, 'object'));
  for (let level = 0; level < 2000; level++) {
    const inner = schema;
    schema = bytesOf((w) => w.message(30, (union) => union.bool(1, true).bytes(2, inner)));
  }
  const version = bytesOf((w) => w.message(4, (validation) => validation.bytes(1, schema)));
  const deep = bytesOf((w) => w.message(2, (spec) => spec.bytes(7, version)));
  assert.equal(refusal(envelope('apiextensions.k8s.io/v1', 'CustomResourceDefinition', deep)), 400);
});
