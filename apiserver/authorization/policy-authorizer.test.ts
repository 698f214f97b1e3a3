import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forbiddenMessage, type Attributes } from './authorizer.js';
import { builtinPolicy } from './builtin-policy.js';
import { PolicyAuthorizer } from './policy-authorizer.js';

const authorizer = new PolicyAuthorizer(builtinPolicy);
const account = (name: string): string => `system:serviceaccount:kube-system:${name}`;

/** `VERB GROUP/RESOURCE[/SUBRESOURCE] [NAMESPACE[/NAME]]`, or `VERB /path`. */
function attributes(user: string, groups: readonly string[], text: string): Attributes {
  const [verb = '', what = '', where = ''] = text.split(' ');
  const isResourceRequest = !what.startsWith('/');
  const [group = '', resource = '', subresource = ''] = isResourceRequest ? what.split('/') : [];
  const [namespace, name = ''] = where.split('/');
  return {
    user: { name: user, groups: [...groups, 'system:authenticated'] },
    verb,
    isResourceRequest,
    group: group === 'core' ? '' : group,
    version: 'v1',
    resource,
    subresource,
    namespace: namespace || undefined,
    name,
    path: isResourceRequest ? '' : what,
  };
}

describe('the built-in policy', () => {
  const table: [user: string, allowed: string[], forbidden: string[]][] = [
    [
      'anybody',
      ['get /version', 'get /apis', 'get core/configmaps kube-public/cluster-info'],
      ['list core/pods default', 'get /metrics'],
    ],
    [
      'system:kube-scheduler',
      ['create core/pods/binding default/p', 'update coordination.k8s.io/leases kube-system/kube-scheduler'],
      ['create core/pods default', 'update coordination.k8s.io/leases default/x', 'get core/secrets default/s'],
    ],
    [
      'system:kube-controller-manager',
      ['watch apps/deployments', 'create core/serviceaccounts/token kube-system/x'],
      ['delete core/pods default/p', 'create core/pods default'],
    ],
    [
      account('deployment-controller'),
      ['create apps/replicasets default', 'patch apps/deployments/status default/d', 'create core/events default'],
      ['create core/pods default', 'get core/secrets default/s'],
    ],
    [
      account('replicaset-controller'),
      ['create core/pods default', 'delete core/pods default/p'],
      ['delete apps/deployments default/d'],
    ],
    [
      account('token-cleaner'),
      ['delete core/secrets kube-system/bootstrap-token-abcdef'],
      ['delete core/secrets default/s'],
    ],
    [
      account('namespace-controller'),
      ['deletecollection core/secrets team', 'update core/namespaces/finalize team/team'],
      ['create core/pods team'],
    ],
    [
      account('kube-dns'),
      ['watch discovery.k8s.io/endpointslices'],
      ['get core/secrets default/s', 'create core/events default'],
    ],
  ];
  for (const [user, allowed, forbidden] of table) {
    it(`gives ${user} what it needs and no more`, () => {
      const verdict = (text: string): string => authorizer.authorize(attributes(user, [], text)).verdict;
      for (const text of allowed) assert.equal(verdict(text), 'allow', text);
      for (const text of forbidden) assert.equal(verdict(text), 'noOpinion', text);
    });
  }

  it('gives everything to system:masters only', () => {
    const wish = 'delete core/nodes x';
    assert.equal(authorizer.authorize(attributes('a', ['system:masters'], wish)).verdict, 'allow');
    assert.equal(authorizer.authorize(attributes('system:masters', [], wish)).verdict, 'noOpinion');
  });

  it('says what is forbidden in the words of the original', () => {
    const asked = attributes('u', [], 'update apps/deployments/scale team/web');
    assert.equal(
      forbiddenMessage(asked, ''),
      'deployments.apps "web" is forbidden: User "u" cannot update resource "deployments/scale" in API group "apps" in the namespace "team"',
    );
    assert.equal(
      forbiddenMessage(attributes('u', [], 'list core/nodes'), ''),
      'nodes is forbidden: User "u" cannot list resource "nodes" in API group "" at the cluster scope',
    );
  });
});
