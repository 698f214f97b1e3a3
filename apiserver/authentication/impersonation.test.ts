import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { RawAnswer, RawClient, RawSender } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';
import { readImpersonation } from './impersonation.js';

const message = ({ json }: RawAnswer): string => String(json?.['message']);

describe('impersonation', () => {
  const world = serverWorld();
  const { admin } = world;
  let ann: RawClient;
  const group = '/apis/rbac.authorization.k8s.io/v1';
  const who = async (client: RawSender, headers: Record<string, string>): Promise<RawAnswer> =>
    client.send('/apis/authentication.k8s.io/v1/selfsubjectreviews', { headers, body: {} });
  const userInfo = async (client: RawSender, headers: Record<string, string>): Promise<object> => {
    const answer = await who(client, headers);
    assert.equal(answer.code, 201, message(answer));
    return (answer.json as { status: { userInfo: object } }).status.userInfo;
  };
  before(async () => {
    ann = await world.clientOf('ann');
    const rules = [
      { verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['bob'] },
      { verbs: ['impersonate'], apiGroups: [''], resources: ['groups'], resourceNames: ['dev'] },
      {
        verbs: ['impersonate'],
        apiGroups: ['authentication.k8s.io'],
        resources: ['userextras/scopes'],
        resourceNames: ['view'],
      },
      { verbs: ['impersonate'], apiGroups: ['authentication.k8s.io'], resources: ['uids'], resourceNames: ['u-1'] },
    ];
    await admin.send(`${group}/clusterroles`, { body: { metadata: { name: 'as-bob' }, rules } });
    const roleRef = { kind: 'ClusterRole', name: 'as-bob' };
    const body = { metadata: { name: 'as-bob' }, roleRef, subjects: [{ kind: 'User', name: 'ann' }] };
    assert.equal((await admin.send(`${group}/clusterrolebindings`, { body })).code, 201);
  });

  it('makes a request as another, with the groups, uid and extra that are asked for', async () => {
    assert.deepEqual(
      await userInfo(ann, {
        'Impersonate-User': 'bob',
        'Impersonate-Group': 'dev',
        'Impersonate-Uid': 'u-1',
        'Impersonate-Extra-Scopes': 'view',
      }),
      { username: 'bob', uid: 'u-1', groups: ['dev', 'system:authenticated'], extra: { scopes: ['view'] } },
    );
  });

  it('has the rights of the other and none of its own', async () => {
    const refused = await admin.send('/api/v1/namespaces/default/pods', { headers: { 'Impersonate-User': 'bob' } });
    assert.match(message(refused), /^pods is forbidden: User "bob" cannot list/);
  });

  const refusals: [headers: Record<string, string>, why: string][] = [
    [
      { 'Impersonate-User': 'root' },
      'users "root" is forbidden: User "ann" cannot impersonate resource "users" in API group "" at the cluster scope',
    ],
    [
      { 'Impersonate-User': 'bob', 'Impersonate-Group': 'system:masters' },
      'groups "system:masters" is forbidden: User "ann" cannot impersonate resource "groups" in API group "" at the cluster scope',
    ],
    [
      { 'Impersonate-User': 'bob', 'Impersonate-Extra-Scopes': 'all' },
      'userextras.authentication.k8s.io "all" is forbidden: User "ann" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope',
    ],
    [
      { 'Impersonate-User': 'system:serviceaccount:kube-system:x' },
      'serviceaccounts "x" is forbidden: User "ann" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "kube-system"',
    ],
  ];
  for (const [headers, why] of refusals) {
    it(`is refused for ${Object.values(headers).join(', ')}`, async () => {
      const answer = await who(ann, headers);
      assert.equal(answer.code, 403);
      assert.equal(message(answer), why);
    });
  }

  it('of a ServiceAccount is in its groups; of nobody is unknown', async () => {
    assert.deepEqual(await userInfo(admin, { 'Impersonate-User': 'system:serviceaccount:team:robot' }), {
      username: 'system:serviceaccount:team:robot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:team', 'system:authenticated'],
    });
    assert.equal((await who(admin, { 'Impersonate-User': 'system:anonymous' })).code, 403);
  });

  it('needs a user', async () => {
    assert.equal((await who(admin, { 'Impersonate-Group': 'dev' })).code, 400);
  });

  it('keeps groups with commas apart, and decodes keys', () => {
    const raw = [
      'Impersonate-User',
      'u',
      'impersonate-group',
      'a,b',
      'Impersonate-Group',
      'c',
      'Impersonate-Extra-A%2Fb',
      'v',
    ];
    assert.deepEqual(readImpersonation(raw)?.user, {
      name: 'u',
      groups: ['a,b', 'c', 'system:authenticated'],
      extra: { 'a/b': ['v'] },
    });
  });
});
