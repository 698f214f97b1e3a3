import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PolicyRule, RbacV1Subject } from '../../shared/api/generated/types.js';
import type { Attributes } from './authorizer.js';
import { RbacIndex, type Binding } from './rbac-index.js';

const namespaces = ['red', 'blue'];
const anyOf = (...words: string[]): fc.Arbitrary<string[]> => fc.subarray(words, { minLength: 1 });
const rule: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record(
    {
      verbs: anyOf('get', 'list', '*'),
      apiGroups: anyOf('', 'apps', '*'),
      resources: anyOf('pods', 'pods/log', '*/log', 'deployments', '*'),
      resourceNames: fc.subarray(['a', 'b']),
    },
    { requiredKeys: ['verbs', 'apiGroups', 'resources'] },
  ),
  fc.record({ verbs: anyOf('get', '*'), nonResourceURLs: anyOf('/healthz', '/metrics/*', '/m*', '*') }),
);
const namespace = fc.option(fc.constantFrom(...namespaces), { nil: undefined });
const subject: fc.Arbitrary<RbacV1Subject> = fc.oneof(
  fc.record({ kind: fc.constantFrom('User', 'Group'), name: fc.constantFrom('ann', 'ops') }),
  fc.record(
    { kind: fc.constant('ServiceAccount'), name: fc.constant('sa'), namespace: fc.constantFrom(...namespaces) },
    { requiredKeys: ['kind', 'name'] },
  ),
);
const roleName = fc.constantFrom('r1', 'r2');
const bindingName = fc.constantFrom('b1', 'b2', 'b3');

const metadataOf = (name: string, inNamespace: string | undefined): Binding['metadata'] => ({
  name,
  ...(inNamespace === undefined ? {} : { namespace: inNamespace }),
  creationTimestamp: '',
  resourceVersion: '',
  uid: '',
});

type Step =
  | {
      readonly what: 'role';
      readonly name: string;
      readonly namespace: string | undefined;
      readonly rules?: PolicyRule[];
    }
  | { readonly what: 'binding'; readonly binding: Binding; readonly isPresent: boolean };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record(
    { what: fc.constant('role' as const), name: roleName, namespace, rules: fc.array(rule, { maxLength: 3 }) },
    { requiredKeys: ['what', 'name', 'namespace'] },
  ),
  fc
    .tuple(
      bindingName,
      namespace,
      fc.constantFrom('Role', 'ClusterRole'),
      roleName,
      fc.array(subject, { maxLength: 3 }),
      fc.nat(3),
    )
    .map(([name, inNamespace, kind, role, subjects, chance]) => ({
      what: 'binding' as const,
      isPresent: chance > 0,
      binding: {
        metadata: metadataOf(name, inNamespace),
        // A binding over the cluster can only name a ClusterRole.
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: inNamespace === undefined ? 'ClusterRole' : kind,
          name: role,
        },
        subjects,
      },
    })),
);
const user = fc.record({
  name: fc.constantFrom('ann', 'ops', 'system:serviceaccount:red:sa', 'system:serviceaccount:blue:sa'),
  groups: fc.subarray(['ops', 'ann']),
});
const request: fc.Arbitrary<Attributes> = fc
  .record({
    user,
    verb: fc.constantFrom('get', 'list'),
    isResourceRequest: fc.boolean(),
    group: fc.constantFrom('', 'apps'),
    resource: fc.constantFrom('pods', 'deployments'),
    subresource: fc.constantFrom('', 'log'),
    namespace,
    name: fc.constantFrom('', 'a', 'c'),
    path: fc.constantFrom('/healthz', '/metrics/x', '/metrics', '/other'),
  })
  .map((given) => ({ ...given, version: 'v1' }) as Attributes);

/** What the documentation of RBAC says, read through all bindings for each request. */
function naive(roles: Map<string, PolicyRule[]>, bindings: Iterable<Binding>, asked: Attributes): boolean {
  for (const { metadata, roleRef, subjects = [] } of bindings) {
    if (metadata.namespace !== undefined && (!asked.isResourceRequest || metadata.namespace !== asked.namespace))
      continue;
    const isMeant = subjects.some(({ kind, name, namespace: home = metadata.namespace }) => {
      if (kind === 'Group') return asked.user.groups.includes(name);
      return asked.user.name === (kind === 'User' ? name : `system:serviceaccount:${home}:${name}`);
    });
    if (!isMeant) continue;
    const rules =
      roles.get(roleRef.kind === 'Role' ? `${metadata.namespace}/${roleRef.name}` : `/${roleRef.name}`) ?? [];
    if (rules.some((one) => covers(one, asked))) return true;
  }
  return false;
}

function covers(given: PolicyRule, asked: Attributes): boolean {
  if (!given.verbs.includes('*') && !given.verbs.includes(asked.verb)) return false;
  if (!asked.isResourceRequest) {
    return (given.nonResourceURLs ?? []).some((url) =>
      url.endsWith('*') ? asked.path.startsWith(url.slice(0, -1)) : url === asked.path,
    );
  }
  const wanted = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
  const groups = given.apiGroups ?? [];
  if (!groups.includes('*') && !groups.includes(asked.group)) return false;
  const isNamed = (given.resources ?? []).some(
    (one) => one === '*' || one === wanted || (asked.subresource !== '' && one === `*/${asked.subresource}`),
  );
  const names = given.resourceNames ?? [];
  return isNamed && (names.length === 0 || names.includes(asked.name));
}

test('the index allows what reading through all bindings allows, after any changes of them', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 14 }),
      fc.array(request, { minLength: 1, maxLength: 12 }),
      (steps, asked) => {
        const index = new RbacIndex();
        const roles = new Map<string, PolicyRule[]>();
        const bindings = new Map<string, Binding>();
        for (const one of steps) {
          if (one.what === 'role') {
            const metadata = metadataOf(one.name, one.namespace);
            index.setRole(
              { apiVersion: 'v1', kind: 'Role', metadata, rules: one.rules ?? [] },
              one.rules !== undefined,
            );
            const key = `${one.namespace ?? ''}/${one.name}`;
            if (one.rules) roles.set(key, one.rules);
            else roles.delete(key);
          } else {
            const key = `${one.binding.metadata.namespace ?? ''}/${one.binding.metadata.name}`;
            index.setBinding(one.binding, one.isPresent);
            if (one.isPresent) bindings.set(key, one.binding);
            else bindings.delete(key);
          }
        }
        for (const attributes of asked) {
          const where = attributes.isResourceRequest ? attributes.namespace : undefined;
          const found = index.find(attributes.user, where, ({ role }) => role.rules?.allows(attributes) === true);
          assert.equal(found !== undefined, naive(roles, bindings.values(), attributes), JSON.stringify(attributes));
        }
      },
    ),
    { numRuns: 600 },
  );
});
