import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
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
  /** A patch of the status, where it has one. */
  readonly status?: Json;
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
const changed = { metadata: { annotations: { patched: 'yes' } } };

const kinds: readonly Operated[] = [
  {
    ...flow,
    resource: 'flowschemas',
    body: { spec: { matchingPrecedence: 9000, priorityLevelConfiguration: { name: 'global-default' } } },
    patch: { ...changed, spec: { matchingPrecedence: 9001 } },
    status: { conditions: [{ ...condition, type: 'Dangling', status: 'False' }] },
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
    patch: { webhooks: [{ ...webhooks[0], matchConditions: [{ name: 'second', expression: 'true' }] }] },
  },
  {
    ...admission,
    resource: 'mutatingwebhookconfigurations',
    body: { webhooks },
    patch: { webhooks: [{ ...webhooks[0], matchConditions: [{ name: 'second', expression: 'true' }] }] },
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
    status: { hard: { 'requests.cpu': '750m', 'requests.memory': '500Mi' } },
  },
  {
    group: '',
    version: 'v1',
    resource: 'serviceaccounts',
    namespaced: true,
    body: { automountServiceAccountToken: true },
    patch: { automountServiceAccountToken: false },
  },
  {
    group: '',
    version: 'v1',
    resource: 'events',
    namespaced: true,
    body: { involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, message: 'one', reason: 'Test' },
    patch: { message: 'two', series: { count: 3, lastObservedTime: '2026-01-01T00:00:00.000000Z' } },
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
    patch: { series: { count: 3, lastObservedTime: '2026-01-01T00:00:00.000000Z' } },
  },
  {
    group: '',
    version: 'v1',
    resource: 'namespaces',
    body: {},
    patch: { metadata: { finalizers: ['example.com/held'], labels: { more: 'yes' } } },
    status: { conditions: [condition] },
    hasNoCollection: true,
  },
];

/** Every field that a patch sets stands in the object; lists are replaced as a whole. */
function includes(object: unknown, patch: unknown, path = ''): void {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    if (Array.isArray(patch)) assert.ok(JSON.stringify(object).includes(JSON.stringify(patch[0]).slice(1, 20)), path);
    else assert.deepEqual(object, patch, path);
    return;
  }
  for (const [name, value] of Object.entries(patch))
    includes((object as Json | undefined)?.[name], value, `${path}.${name}`);
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

  for (const kind of kinds) {
    const { group, version, resource, namespaced = false, body, patch, status, approval } = kind;
    const groupVersion = group === '' ? version : `${group}/${version}`;
    const base = group === '' ? `/api/${version}` : `/apis/${groupVersion}`;
    const collection = `${base}/${namespaced ? 'namespaces/default/' : ''}${resource}`;
    const short = `${group.split('.')[0] || 'core'}-${resource}`;
    const nameOf = (index: number): string =>
      resource === 'customresourcedefinitions' ? `tested${index}s.operations.example.com` : `${short}-${index}`;
    const bodyOf = (index: number): Json =>
      resource === 'customresourcedefinitions'
        ? {
            spec: {
              group: 'operations.example.com',
              scope: 'Namespaced',
              names: { plural: `tested${index}s`, kind: `Tested${index}` },
              versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
            },
          }
        : body;
    const made = (index: number): Json => ({
      metadata: { name: nameOf(index), labels: { set: short } },
      ...bodyOf(index),
    });

    it(`${groupVersion} ${resource}: discovery, create, get, list, watch, update, patch, status, delete, deletecollection`, async () => {
      const { resources } = (await sent('GET', base)) as unknown as { resources: { name: string; verbs: string[] }[] };
      const verbs = resources.find(({ name }) => name === resource)?.verbs ?? [];
      const wanted = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
      for (const verb of kind.hasNoCollection ? wanted : [...wanted, 'deletecollection'])
        assert.ok(verbs.includes(verb), verb);
      for (const [name, part] of [
        ['status', status],
        ['approval', approval],
      ] as const)
        if (part)
          assert.ok(
            resources.some((one) => one.name === `${resource}/${name}`),
            name,
          );

      const [first] = (await Promise.all([1, 2, 3].map((index) => sent('POST', collection, made(index))))) as [Json];
      const path = `${collection}/${nameOf(1)}`;
      const { uid, resourceVersion } = first['metadata'] as { uid: string; resourceVersion: string };
      assert.equal(((await sent('GET', path))['metadata'] as Json)['uid'], uid);
      const selected = `${collection}?labelSelector=set%3D${short}`;
      assert.equal((await itemsOf(selected)).length, 3);
      if (namespaced) assert.equal((await itemsOf(`${base}/${resource}?labelSelector=set%3D${short}`)).length, 3);

      includes(await patched(path, patch), patch);
      includes(await sent('GET', path), patch);
      const current = await sent('GET', path);
      const labels = { set: short, updated: 'yes' };
      await sent('PUT', path, { ...current, metadata: { ...(current['metadata'] as Json), labels } });
      assert.deepEqual(((await sent('GET', path))['metadata'] as { labels: Json }).labels['updated'], 'yes');
      if (approval) includes((await patched(`${path}/approval`, { status: approval }))['status'], approval);
      if (status) {
        includes((await patched(`${path}/status`, { status }))['status'], status);
        const read = await sent('GET', `${path}/status`);
        includes(read['status'], status);
        await sent('PUT', `${path}/status`, read);
        includes((await sent('GET', path))['spec'], (patch['spec'] as Json | undefined) ?? {});
      }

      if (resource === 'namespaces') await patched(path, { metadata: { finalizers: null } });
      await sent('DELETE', path);
      if (kind.hasNoCollection) {
        assert.equal(((await sent('GET', path))['status'] as Json)['phase'], 'Terminating');
        return;
      }
      await eventually(async () => assert.equal((await admin.send(path)).code, 404));
      await sent('DELETE', selected);
      await eventually(async () => assert.deepEqual(await itemsOf(selected), []));

      const watch = `${selected}&watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`;
      const { text } = await admin.send(watch);
      const events = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string; object: { metadata: { name: string } } });
      const typesOf = (index: number): string[] =>
        events.filter(({ object }) => object.metadata.name === nameOf(index)).map(({ type }) => type);
      assert.ok(typesOf(1).includes('MODIFIED') && typesOf(1).at(-1) === 'DELETED', String(typesOf(1)));
      for (const index of [2, 3]) assert.equal(typesOf(index).at(-1), 'DELETED');
    });
  }
});
