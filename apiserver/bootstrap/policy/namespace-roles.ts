import { eventsRule, READ, rule } from '../../authorization/rule.js';
import { account, roleRef, user, type DefaultBinding, type DefaultRole } from './default-role.js';

const system = 'kube-system';
const open = 'kube-public';
const bootstrapSigner = 'system:controller:bootstrap-signer';
const leases = [
  rule(`${READ} create update`, 'coordination.k8s.io', 'leases'),
  rule(`${READ} create update`, 'coordination.k8s.io', 'leasecandidates'),
];

const leaderLocking = (component: string): DefaultRole => ({
  name: `system::leader-locking-${component}`,
  namespace: system,
  rules: [rule('watch', 'core', 'configmaps'), rule('get update', 'core', 'configmaps', component), ...leases],
});

const bind = (namespace: string, role: string, subjects: DefaultBinding['subjects'], name = role): DefaultBinding => ({
  name,
  namespace,
  roleRef: roleRef(role),
  subjects,
});

/** Roles in kube-system and kube-public, as in the original; the last is kubeadm's. */
export const namespaceRoles: readonly DefaultRole[] = [
  {
    name: 'extension-apiserver-authentication-reader',
    namespace: system,
    rules: [rule(READ, 'core', 'configmaps', 'extension-apiserver-authentication')],
  },
  { name: bootstrapSigner, namespace: system, rules: [rule(READ, 'core', 'secrets')] },
  {
    name: 'system:controller:cloud-provider',
    namespace: system,
    rules: [rule(`create ${READ}`, 'core', 'configmaps')],
  },
  {
    name: 'system:controller:token-cleaner',
    namespace: system,
    rules: [rule(`${READ} delete`, 'core', 'secrets'), eventsRule()],
  },
  leaderLocking('kube-controller-manager'),
  leaderLocking('kube-scheduler'),
  {
    name: bootstrapSigner,
    namespace: open,
    rules: [rule(READ, 'core', 'configmaps'), rule('patch update', 'core', 'configmaps', 'cluster-info'), eventsRule()],
  },
  {
    name: 'kubeadm:bootstrap-signer-clusterinfo',
    namespace: open,
    rules: [rule('get', 'core', 'configmaps', 'cluster-info')],
  },
];

export const namespaceBindings: readonly DefaultBinding[] = [
  bind(
    system,
    'extension-apiserver-authentication-reader',
    [user('system:kube-controller-manager'), user('system:kube-scheduler')],
    'system::extension-apiserver-authentication-reader',
  ),
  bind(system, bootstrapSigner, [account('bootstrap-signer')]),
  bind(system, 'system:controller:cloud-provider', [account('cloud-provider')]),
  bind(system, 'system:controller:token-cleaner', [account('token-cleaner')]),
  bind(system, 'system::leader-locking-kube-controller-manager', [
    user('system:kube-controller-manager'),
    account('kube-controller-manager'),
  ]),
  bind(system, 'system::leader-locking-kube-scheduler', [user('system:kube-scheduler'), account('kube-scheduler')]),
  bind(open, bootstrapSigner, [account('bootstrap-signer')]),
  bind(open, 'kubeadm:bootstrap-signer-clusterinfo', [user('system:anonymous')]),
];
