import { rule, withPatch } from '../../authorization/rule.js';
import { controllerRules } from './controller-roles.js';
import { account, bindCluster, group, user, type DefaultBinding, type DefaultRole } from './default-role.js';
import { namespaceBindings, namespaceRoles } from './namespace-roles.js';
import { systemRoles } from './system-roles.js';
import { userRoles } from './user-roles.js';

const authenticated = group('system:authenticated');
const bootstrappers = group('system:bootstrappers:kubeadm:default-node-token');
const requests = 'system:certificates.k8s.io:certificatesigningrequests';

const systemBindings: readonly DefaultBinding[] = [
  bindCluster('cluster-admin', [group('system:masters')]),
  bindCluster('system:monitoring', [group('system:monitoring')]),
  bindCluster('system:discovery', [authenticated]),
  bindCluster('system:basic-user', [authenticated]),
  bindCluster('system:public-info-viewer', [authenticated, group('system:unauthenticated')]),
  bindCluster('system:node-proxier', [user('system:kube-proxy')]),
  bindCluster('system:kube-controller-manager', [user('system:kube-controller-manager')]),
  bindCluster('system:kube-dns', [account('kube-dns')]),
  bindCluster('system:kube-scheduler', [user('system:kube-scheduler')]),
  bindCluster('system:volume-scheduler', [user('system:kube-scheduler')]),
  bindCluster('system:node', []),
  bindCluster('system:service-account-issuer-discovery', [group('system:serviceaccounts')]),
];

/** What kubeadm adds for machines that join, and for administrators who are not beyond all roles. */
const joiningRoles: readonly DefaultRole[] = [{ name: 'kubeadm:get-nodes', rules: [rule('get', 'core', 'nodes')] }];
const joiningBindings: readonly DefaultBinding[] = [
  bindCluster('cluster-admin', [group('kubeadm:cluster-admins')], 'kubeadm:cluster-admins'),
  bindCluster('kubeadm:get-nodes', [bootstrappers]),
  bindCluster('system:node-bootstrapper', [bootstrappers], 'kubeadm:kubelet-bootstrap'),
  bindCluster(`${requests}:nodeclient`, [bootstrappers], 'kubeadm:node-autoapprove-bootstrap'),
  bindCluster(`${requests}:selfnodeclient`, [group('system:nodes')], 'kubeadm:node-autoapprove-certificate-rotation'),
  bindCluster('system:node-proxier', [account('kube-proxy')], 'kubeadm:node-proxier'),
];

/**
 * Where a controller here does more than its namesake in the original, or has an account of its own: kubelets' serving
 * certificates are approved too, and long-lived tokens are not written by the controller manager itself.
 */
const ownRoles: readonly DefaultRole[] = [
  {
    name: 'knarr:controller:certificate-controller',
    rules: [rule('approve', 'certificates.k8s.io', 'signers', 'kubernetes.io/kubelet-serving')],
  },
  {
    name: 'knarr:controller:service-account-token-controller',
    rules: [
      rule('get update delete', 'core', 'secrets'),
      rule('get', 'core', 'serviceaccounts'),
      rule('create', 'core', 'serviceaccounts/token'),
    ],
  },
];
const ownBindings: readonly DefaultBinding[] = [
  bindCluster('knarr:controller:certificate-controller', [account('certificate-controller')]),
  bindCluster('knarr:controller:service-account-token-controller', [account('service-account-token-controller')]),
];

const controllerRole = (name: string): string => `system:controller:${name}`;

/** Every role that a cluster has from its first moment. */
export const defaultRoles: readonly DefaultRole[] = [
  ...userRoles,
  ...systemRoles,
  ...Object.entries(controllerRules).map(([name, rules]) => ({
    name: controllerRole(name),
    rules: rules.map(withPatch),
  })),
  ...joiningRoles,
  ...ownRoles,
  ...namespaceRoles,
];

/** Who holds them. */
export const defaultBindings: readonly DefaultBinding[] = [
  ...systemBindings,
  ...Object.keys(controllerRules).map((name) => bindCluster(controllerRole(name), [account(name)])),
  ...joiningBindings,
  ...ownBindings,
  ...namespaceBindings,
];
