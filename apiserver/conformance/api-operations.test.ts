import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { jsonMergePatch } from '../../shared/patch/json-merge-patch.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

type Json = Record<string, unknown>;

interface Operated {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespaced?: boolean;
  /** What an object has beside its metadata. */
  readonly body: Json;
  /** A merge patch, and what it must have done. */
  readonly patch: Json;
  /** What an update changes, as a merge patch of the object that is sent. Default: a label. */
  readonly update?: Json;
  /** A patch of the status, where it has one, and what an update of it changes. Default: one more condition. */
  readonly status?: Json;
  readonly statusUpdate?: Json;
  readonly approval?: Json;
  /** Namespaces are deleted one by one. */
  readonly hasNoCollection?: boolean;
}

const admission = { group: 'admissionregistration.k8s.io', version: 'v1' };
const flow = { group: 'flowcontrol.apiserver.k8s.io', version: 'v1' };
const resourceRules = [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['daemonsets'] }];
const condition = {
  type: 'Tested',
  status: 'True',
  reason: 'Test',
  message: 'm',
  lastTransitionTime: '2026-01-01T00:00:00Z',
};
const signingRequest = `-----BEGIN CERTIFICATE REQUEST-----
MIIBDjCBtgIBADAvMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFjAUBgNVBAMMDXN5
c3RlbTpub2RlOmEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATXK/+cC0b9D26u
NwC6mQSo8vzeEkqEr8s20LUQRZIWFt6Y5OJgmZF1DaxfO9oKkDwbaoyoSiGTCm+k
Tr0HkvVRoCUwIwYJKoZIhvcNAQkOMRYwFDASBgNVHREECzAJggFhhwQKAAABMAoG
CCqGSM49BAMCA0cAMEQCIFW90p2vnqsgac4x0OHfAJ4coOAQfBNE+ujXdE/4mRqI
AiBq9hJgZaLY9GAiZaeHZh00KPybctWcAzjpVZB0ada7YA==
-----END CERTIFICATE REQUEST-----
`;
const webhooks = [
  {
    name: 'hook.example.com',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    clientConfig: { url: 'https://192.0.2.9/' },
    rules: [{ operations: ['CREATE'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['nothings'] }],
    matchConditions: [{ name: 'first', expression: 'object.metadata.name == "a"' }],
  },
];
const webhooksWith = (...names: readonly string[]): Json => ({
  webhooks: webhooks.map((one) => ({ ...one, matchConditions: names.map((name) => ({ name, expression: 'true' })) })),
});
const changed = { metadata: { annotations: { patched: 'yes' } } };
const series = { count: 3, lastObservedTime: '2026-01-01T00:00:00.000000Z' };

const kinds: readonly Operated[] = [
  {
    ...flow,
    resource: 'flowschemas',
    body: { spec: { matchingPrecedence: 9000, priorityLevelConfiguration: { name: 'global-default' } } },
    patch: { ...changed, spec: { matchingPrecedence: 9001 } },
    status: { conditions: [condition] },
  },
  {
    ...flow,
    resource: 'prioritylevelconfigurations',
    body: { spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } } },
    patch: { ...changed, spec: { limited: { nominalConcurrencyShares: 4 } } },
    status: { conditions: [condition] },
  },
  {
    ...admission,
    resource: 'validatingadmissionpolicies',
    body: { spec: { matchConstraints: { resourceRules }, validations: [{ expression: 'true' }] } },
    patch: { ...changed, spec: { failurePolicy: 'Ignore' } },
    status: { conditions: [condition] },
  },
  {
    ...admission,
    resource: 'validatingadmissionpolicybindings',
    body: { spec: { policyName: 'p', validationActions: ['Deny'] } },
    patch: { ...changed, spec: { validationActions: ['Warn'] } },
  },
  {
    ...admission,
    resource: 'mutatingadmissionpolicies',
    body: {
      spec: {
        matchConstraints: { resourceRules },
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
      },
    },
    patch: { ...changed, spec: { failurePolicy: 'Ignore' } },
  },
  {
    ...admission,
    resource: 'mutatingadmissionpolicybindings',
    body: { spec: { policyName: 'p' } },
    patch: { ...changed, spec: { policyName: 'q' } },
  },
  {
    ...admission,
    resource: 'validatingwebhookconfigurations',
    body: { webhooks },
    patch: webhooksWith('second'),
    update: webhooksWith('third', 'fourth'),
  },
  {
    ...admission,
    resource: 'mutatingwebhookconfigurations',
    body: { webhooks },
    patch: webhooksWith('second'),
    update: webhooksWith('third', 'fourth'),
  },
  {
    group: 'certificates.k8s.io',
    version: 'v1',
    resource: 'certificatesigningrequests',
    body: {
      spec: {
        request: Buffer.from(signingRequest).toString('base64'),
        signerName: 'example.com/tested',
        usages: ['client auth'],
      },
    },
    patch: changed,
    approval: { conditions: [{ ...condition, type: 'Approved' }] },
    status: { conditions: [{ ...condition, type: 'Failed' }] },
  },
  {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    resource: 'customresourcedefinitions',
    body: {},
    patch: changed,
    status: { conditions: [condition] },
  },
  {
    group: '',
    version: 'v1',
    resource: 'resourcequotas',
    namespaced: true,
    body: { spec: { hard: { 'requests.cpu': '1', 'requests.memory': '500Mi' } } },
    patch: { spec: { hard: { 'requests.cpu': '750m' } } },
    update: { spec: { hard: { 'requests.cpu': '500m', 'requests.memory': '252Mi' } } },
    status: { hard: { 'requests.cpu': '500m', 'requests.memory': '252Mi' } },
    statusUpdate: { hard: { 'requests.cpu': '250m' } },
  },
  {
    group: '',
    version: 'v1',
    resource: 'serviceaccounts',
    namespaced: true,
    body: { automountServiceAccountToken: true },
    patch: { automountServiceAccountToken: false, metadata: { labels: { patched: 'yes' } } },
    update: { automountServiceAccountToken: true },
  },
  {
    group: '',
    version: 'v1',
    resource: 'events',
    namespaced: true,
    body: { involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, message: 'one', reason: 'Test' },
    patch: { message: 'two' },
    update: { series },
  },
  {
    group: 'events.k8s.io',
    version: 'v1',
    resource: 'events',
    namespaced: true,
    body: {
      regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/test',
      reportingInstance: 'test-1',
      action: 'Testing',
      reason: 'Test',
      type: 'Normal',
      note: 'one',
    },
    patch: { series },
    update: { series: { ...series, count: 5 } },
  },
  {
    group: '',
    version: 'v1',
    resource: 'namespaces',
    body: {},
    patch: { metadata: { labels: { more: 'yes' } } },
    status: { conditions: [condition] },
    hasNoCollection: true,
  },
];

interface Group {
  readonly name: string;
  readonly versions?: readonly { readonly version: string }[];
}

const definitionSpec = (index: number): Json => ({
  group: 'operations.example.com',
  scope: 'Namespaced',
  names: { plural: `tested${index}s`, kind: `Tested${index}` },
  versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
});

/** Every field that a patch sets stands in the object, and each element of its lists among those of the object. */
function includes(object: unknown, patch: unknown, path = ''): void {
  if (Array.isArray(patch)) {
    const there = Array.isArray(object) ? (object as unknown[]) : [];
    for (const element of patch)
      assert.ok(
        there.some((one) => isIncluded(one, element)),
        `${path} of ${JSON.stringify(object)}`,
      );
  } else if (typeof patch !== 'object' || patch === null) assert.deepEqual(object, patch, path);
  else
    for (const [name, value] of Object.entries(patch))
      includes((object as Json | undefined)?.[name], value, `${path}.${name}`);
}

function isIncluded(object: unknown, patch: unknown): boolean {
  try {
    includes(object, patch);
    return true;
  } catch {
    return false;
  }
}

describe('the operations of a kind', { concurrency: 8 }, () => {
  const { admin } = serverWorld();
  const sent = async (method: string, path: string, body?: unknown, type = 'application/json'): Promise<Json> => {
    const options = body === undefined ? {} : { body, headers: { 'content-type': type } };
    const answer: RawAnswer = await admin.send(path, { method, ...options });
    assert.ok(answer.code < 300, `${method} ${path}: ${answer.text}`);
    return answer.json ?? {};
  };
  const patched = (path: string, body: unknown): Promise<Json> =>
    sent('PATCH', path, body, 'application/merge-patch+json');
  const itemsOf = async (path: string): Promise<Json[]> => (await sent('GET', path))['items'] as Json[];
  /** Reads, changes and sends back what is at a path; what was changed is there for those who read it then. */
  const updated = async (path: string, change: Json): Promise<void> => {
    includes(await sent('PUT', path, jsonMergePatch(await sent('GET', path), change)), change);
    includes(await sent('GET', path), change);
  };

  /** The group, its version, the kind with its verbs, and its subresources. */
  const isDiscovered = async ({ group, version, resource, ...kind }: Operated): Promise<void> => {
    if (group !== '') {
      const { groups } = (await sent('GET', '/apis')) as unknown as { groups: Group[] };
      const own = (await sent('GET', `/apis/${group}`)) as unknown as Group;
      for (const { versions = [] } of [own, groups.find(({ name }) => name === group) ?? own])
        assert.ok(
          versions.some((one) => one.version === version),
          `${group}/${version}`,
        );
      assert.ok(groups.some(({ name }) => name === group));
    }
    const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const { resources } = (await sent('GET', base)) as unknown as { resources: { name: string; verbs: string[] }[] };
    const verbsOf = (name: string): string[] => resources.find((one) => one.name === name)?.verbs ?? [];
    const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
    includes(verbsOf(resource), kind.hasNoCollection ? verbs : [...verbs, 'deletecollection'], resource);
    if (kind.status) includes(verbsOf(`${resource}/status`), ['get', 'patch', 'update'], 'status');
    if (kind.approval) includes(verbsOf(`${resource}/approval`), ['get', 'patch', 'update'], 'approval');
  };

  /** A subresource that has conditions, or fields of its own: patched, read, updated. */
  const changesPart = async (path: string, status: Json, update?: Json): Promise<void> => {
    includes(await patched(path, { status }), { status });
    includes(await sent('GET', path), { status });
    const { conditions } = ((await sent('GET', path))['status'] ?? {}) as { conditions?: Json[] };
    const more = { ...condition, type: `Updated${path.split('/').at(-1)}` };
    await updated(path, { status: update ?? { conditions: [...(conditions ?? []), more] } });
  };

  for (const kind of kinds) {
    const { group, version, resource, namespaced = false, body, patch, status, approval } = kind;
    const groupVersion = group === '' ? version : `${group}/${version}`;
    const base = group === '' ? `/api/${version}` : `/apis/${groupVersion}`;
    const collection = `${base}/${namespaced ? 'namespaces/default/' : ''}${resource}`;
    const short = `${group.split('.')[0] || 'core'}-${resource}`;
    const selected = `${collection}?labelSelector=set%3D${short}`;
    const isDefinition = resource === 'customresourcedefinitions';
    const nameOf = (index: number): string =>
      isDefinition ? `tested${index}s.operations.example.com` : `${short}-${index}`;
    const made = (index: number): Json => ({
      metadata: { name: nameOf(index), labels: { set: short } },
      ...(isDefinition ? { spec: definitionSpec(index) } : body),
    });
    /** What a watch from a moment of the past tells of each object until it is gone. */
    const areWatched = async (resourceVersion: string): Promise<void> => {
      const { text } = await admin.send(`${selected}&watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`);
      const events = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string; object: { metadata: { name: string } } });
      const typesOf = (index: number): string[] =>
        events.filter(({ object }) => object.metadata.name === nameOf(index)).map(({ type }) => type);
      assert.ok(typesOf(1).includes('MODIFIED'), String(typesOf(1)));
      for (const index of [1, 2, 3]) {
        assert.equal(typesOf(index)[0], 'ADDED');
        assert.equal(typesOf(index).at(-1), 'DELETED');
      }
    };

    it(`${groupVersion} ${resource}: discovery, create, get, list, watch, update, patch, status, delete, deletecollection`, async () => {
      await isDiscovered(kind);
      const { metadata } = (await sent('GET', collection)) as { metadata: { resourceVersion: string } };
      const [first] = (await Promise.all([1, 2, 3].map((index) => sent('POST', collection, made(index))))) as [Json];
      const path = `${collection}/${nameOf(1)}`;
      includes(await sent('GET', path), { ...made(1), metadata: { uid: (first['metadata'] as Json)['uid'] } });
      assert.equal((await itemsOf(selected)).length, 3);
      if (namespaced) assert.equal((await itemsOf(`${base}/${resource}?labelSelector=set%3D${short}`)).length, 3);
      if (kind.hasNoCollection) includes(await sent('GET', `${path}/status`), { status: { phase: 'Active' } });

      includes(await patched(path, patch), patch);
      includes((await itemsOf(selected))[0], patch);
      await updated(path, { ...(kind.update ?? patch), metadata: { labels: { set: short, updated: 'yes' } } });
      const { spec = {} } = (await sent('GET', path)) as { spec?: Json };
      if (approval) await changesPart(`${path}/approval`, approval);
      if (status) await changesPart(`${path}/status`, status, kind.statusUpdate);
      assert.deepEqual((await sent('GET', path))['spec'] ?? {}, spec, 'a status tells, it does not want');

      await sent('DELETE', path);
      if (kind.hasNoCollection) {
        assert.equal(((await sent('GET', path))['status'] as Json)['phase'], 'Terminating');
        return;
      }
      await eventually(async () => assert.equal((await admin.send(path)).code, 404));
      assert.equal((await itemsOf(selected)).length, 2);
      await sent('DELETE', selected);
      await eventually(async () => assert.deepEqual(await itemsOf(selected), []));
      await areWatched(metadata.resourceVersion);
    });
  }

  it('a namespace takes a finalizer among its own, and gives it back', async () => {
    const path = '/api/v1/namespaces/finalized';
    const { spec, ...rest } = await sent('POST', '/api/v1/namespaces', { metadata: { name: 'finalized' } });
    assert.deepEqual(spec, { finalizers: ['kubernetes'] });
    for (const finalizers of [['kubernetes', 'example.com/held'], ['kubernetes']]) {
      const { metadata } = await sent('GET', path);
      await sent('PUT', `${path}/finalize`, { ...rest, metadata, spec: { finalizers } });
      assert.deepEqual((await sent('GET', path))['spec'], { finalizers });
    }
  });
});
