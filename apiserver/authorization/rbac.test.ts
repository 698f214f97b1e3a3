import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const message = ({ json }: RawAnswer): string => String(json?.['message']);
const group = '/apis/rbac.authorization.k8s.io/v1';
const inDefault = `${group}/namespaces/default`;
const user = (name: string): object => ({ kind: 'User', name });
const clusterRole = (name: string): object => ({ kind: 'ClusterRole', name });

describe('roles and bindings', () => {
  const { admin, clientOf: as, clientWith } = serverWorld();
  const make = async (path: string, body: object): Promise<void> => {
    const answer = await admin.send(path, { body });
    assert.equal(answer.code, 201, message(answer));
  };
  const grant = (name: string, role: string, who: string): Promise<void> =>
    make(`${group}/clusterrolebindings`, {
      metadata: { name },
      roleRef: clusterRole(role),
      subjects: [user(who)],
    });

  it('allow from the moment of their writing to that of their deletion', async () => {
    const reader = await as('reader');
    const pods = '/api/v1/namespaces/default/pods';
    const refusal = 'pods is forbidden: User "reader" cannot list resource "pods" in API group "" in the namespace ';
    assert.equal(message(await reader.send(pods)), `${refusal}"default"`);
    const rules = [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }];
    await make(`${inDefault}/roles`, { metadata: { name: 'reader' }, rules });
    const binding = {
      metadata: { name: 'reader' },
      roleRef: { kind: 'Role', name: 'reader' },
      subjects: [user('reader')],
    };
    await make(`${inDefault}/rolebindings`, binding);
    assert.equal((await reader.send(pods)).code, 200);
    assert.equal(message(await reader.send('/api/v1/namespaces/kube-system/pods')), `${refusal}"kube-system"`);
    assert.match(message(await reader.send('/api/v1/pods')), /in API group "" at the cluster scope$/);
    await admin.send(`${inDefault}/roles/reader`, { method: 'DELETE' });
    const missing = ': RBAC: role.rbac.authorization.k8s.io "reader" not found';
    assert.equal(message(await reader.send(pods)), `${refusal}"default"${missing}`);
    await admin.send(`${inDefault}/rolebindings/reader`, { method: 'DELETE' });
    assert.equal(message(await reader.send(pods)), `${refusal}"default"`);
  });

  it('reach members of a group, and ServiceAccounts of a namespace', async () => {
    await make(`${inDefault}/rolebindings`, {
      metadata: { name: 'team' },
      roleRef: clusterRole('system:aggregate-to-view'),
      subjects: [
        { kind: 'Group', name: 'team' },
        { kind: 'ServiceAccount', name: 'robot' },
      ],
    });
    const member = await as('m', ['team']);
    assert.equal((await member.send('/api/v1/namespaces/default/configmaps')).code, 200);
    assert.equal((await member.send('/api/v1/namespaces/default/secrets')).code, 403);
    assert.equal((await member.send('/api/v1/namespaces/kube-system/configmaps')).code, 403);
    await make('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } });
    const issued = await admin.send('/api/v1/namespaces/default/serviceaccounts/robot/token', { body: { spec: {} } });
    const { token } = (issued.json as { status: { token: string } }).status;
    const robot = clientWith();
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await robot.send('/api/v1/namespaces/default/configmaps', { headers })).code, 200);
    assert.equal((await robot.send('/api/v1/namespaces/default/secrets', { headers })).code, 403);
  });

  it('tell who allowed what, as the original does', async () => {
    await grant('told', 'system:aggregate-to-view', 'told');
    const body = {
      spec: { user: 'told', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } },
    };
    const answer = await admin.send('/apis/authorization.k8s.io/v1/subjectaccessreviews', { body });
    assert.deepEqual((answer.json as { status: object }).status, {
      allowed: true,
      reason: 'RBAC: allowed by ClusterRoleBinding "told" of ClusterRole "system:aggregate-to-view" to User "told"',
    });
  });

  it('allow a list of one name where they allow that name', async () => {
    const rules = [{ verbs: ['list', 'watch'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'] }];
    await make(`${group}/clusterroles`, { metadata: { name: 'one-map' }, rules });
    await grant('one-map', 'one-map', 'narrow');
    const narrow = await as('narrow');
    const maps = '/api/v1/namespaces/default/configmaps';
    assert.equal((await narrow.send(`${maps}?fieldSelector=metadata.name%3Dmine`)).code, 200);
    assert.match(
      message(await narrow.send(`${maps}?fieldSelector=metadata.name%3Dother`)),
      /^configmaps "other" is forbidden: User "narrow" cannot list/,
    );
    assert.equal((await narrow.send(maps)).code, 403);
  });

  it('are given away only by those who hold what is in them', async () => {
    const rules = [
      { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['create', 'update'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'] },
    ];
    await make(`${group}/clusterroles`, { metadata: { name: 'granter' }, rules });
    await grant('granter', 'granter', 'gina');
    const gina = await as('gina', ['dev']);
    const role = (more: object[]): object => ({ metadata: { name: 'r' }, rules: more });
    const wish = { verbs: ['get', 'delete', 'list'], apiGroups: ['', 'apps'], resources: ['pods'] };
    const refused = await gina.send(`${inDefault}/roles`, { body: role([wish]) });
    assert.equal(refused.code, 403);
    assert.equal(
      message(refused),
      'roles.rbac.authorization.k8s.io "r" is forbidden: user "gina" (groups=["dev" "system:authenticated"]) is ' +
        'attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n' +
        '{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "delete" "list"]}',
    );
    const held = { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['p'] };
    assert.equal((await gina.send(`${inDefault}/roles`, { body: role([held]) })).code, 201);
    const bind = (name: string): Promise<RawAnswer> =>
      gina.send(`${inDefault}/rolebindings`, {
        body: { metadata: { name: `b-${name}` }, roleRef: clusterRole(name), subjects: [user('x')] },
      });
    assert.equal((await bind('granter')).code, 201);
    assert.match(
      message(await bind('cluster-admin')),
      /Resources:\["\*"\], Verbs:\["\*"\]}\n{NonResourceURLs:\["\*"\]/,
    );
    const absent = await bind('absent');
    assert.equal(absent.code, 404);
    assert.equal(message(absent), 'clusterroles.rbac.authorization.k8s.io "absent" not found');
    const aggregated = { metadata: { name: 'a' }, aggregationRule: { clusterRoleSelectors: [{}] } };
    assert.match(
      message(await gina.send(`${group}/clusterroles`, { body: aggregated })),
      /must have cluster-admin privileges to use the aggregationRule$/,
    );
  });

  it('are given away by those who may escalate or bind them', async () => {
    const may = (verb: string, resource: string, names?: string[]): object => ({
      verbs: [verb, 'create'],
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: [resource],
      ...(names ? { resourceNames: names } : {}),
    });
    const writer = { verbs: ['create'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'] };
    const rules = [writer, may('escalate', 'roles'), may('bind', 'clusterroles', ['edit'])];
    await make(`${group}/clusterroles`, { metadata: { name: 'escalator' }, rules });
    await grant('escalator', 'escalator', 'ed');
    const ed = await as('ed');
    const all = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
    assert.equal((await ed.send(`${inDefault}/roles`, { body: { metadata: { name: 'all' }, rules: all } })).code, 201);
    const bind = (name: string): Promise<RawAnswer> =>
      ed.send(`${inDefault}/rolebindings`, {
        body: { metadata: { name: `ed-${name}` }, roleRef: clusterRole(name), subjects: [] },
      });
    assert.equal((await bind('edit')).code, 201);
    assert.equal((await bind('cluster-admin')).code, 403);
  });

  it('keep the role that they lead to', async () => {
    await make(`${inDefault}/rolebindings`, { metadata: { name: 'fixed' }, roleRef: clusterRole('view') });
    const answer = await admin.send(`${inDefault}/rolebindings/fixed`, {
      method: 'PUT',
      body: { metadata: { name: 'fixed' }, roleRef: clusterRole('edit') },
    });
    assert.equal(answer.code, 422);
    assert.match(message(answer), /roleRef: Invalid value: .*: cannot change roleRef$/);
  });

  it('are checked field by field', async () => {
    const wrong = (path: string, body: object): Promise<string> => admin.send(path, { body }).then(message);
    assert.equal(
      await wrong(`${inDefault}/roles`, {
        metadata: { name: 'w' },
        rules: [{ verbs: [], nonResourceURLs: ['/x'] }, { verbs: ['get'] }],
      }),
      'Role.rbac.authorization.k8s.io "w" is invalid: [rules[0].verbs: Required value: verbs must contain at least one ' +
        'value, rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs, ' +
        'rules[1].apiGroups: Required value: resource rules must supply at least one api group, rules[1].resources: ' +
        'Required value: resource rules must supply at least one resource]',
    );
    assert.equal(
      await wrong(`${group}/clusterrolebindings`, {
        metadata: { name: 'w' },
        roleRef: { kind: 'Role', name: '' },
        subjects: [
          { kind: 'Robot', name: 'r' },
          { kind: 'ServiceAccount', name: 'a' },
          { kind: 'User', name: '' },
        ],
      }),
      'ClusterRoleBinding.rbac.authorization.k8s.io "w" is invalid: [roleRef.kind: Unsupported value: "Role": supported ' +
        'values: "ClusterRole", roleRef.name: Required value, subjects[0].kind: Unsupported value: "Robot": supported ' +
        'values: "ServiceAccount", "User", "Group", subjects[1].namespace: Required value, subjects[2].name: Required value]',
    );
  });

  it('are refused at once however much a role asks for', async () => {
    const words = Array.from({ length: 2_000 }, (_, i) => `w${i}`);
    const rules = [{ verbs: words, apiGroups: words, resources: words }];
    const gina = await as('gina');
    const answer = await gina.send(`${inDefault}/roles`, { body: { metadata: { name: 'huge' }, rules } });
    assert.equal(answer.code, 403);
  });

  it('never bind the members of system:masters', async () => {
    await admin.send(`${group}/clusterrolebindings/cluster-admin`, { method: 'DELETE' });
    assert.equal((await admin.send('/api/v1/nodes')).code, 200);
  });
});
