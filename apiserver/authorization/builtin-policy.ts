import { rules, type Rule } from './rule.js';

/** Who gets which rules; a subject is a user name, or a group with a leading `group:`. */
export type Policy = Readonly<Record<string, readonly Rule[]>>;

const controllerAccount = (name: string): string => `system:serviceaccount:kube-system:${name}`;
const electionLease: Rule = {
  verbs: ['get', 'list', 'watch', 'create', 'update', 'patch'],
  groups: ['coordination.k8s.io'],
  resources: ['leases'],
  namespaces: ['kube-system'],
};

const publicPaths = ['/livez', '/livez/*', '/readyz', '/readyz/*', '/healthz', '/healthz/*', '/version', '/version/'];
const discoveryPaths = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/openapi',
  '/openapi/*',
  '/openid/v1/jwks',
  '/.well-known/openid-configuration',
  '/.well-known/openid-configuration/',
];

const clusterRules: Policy = {
  'group:system:masters': [{ verbs: ['*'], groups: ['*'], resources: ['*'], paths: ['*'] }],
  'group:system:unauthenticated': [
    { verbs: ['get', 'head'], paths: publicPaths },
    { verbs: ['get'], groups: [''], resources: ['configmaps'], names: ['cluster-info'], namespaces: ['kube-public'] },
  ],
  'group:system:authenticated': [
    { verbs: ['get', 'head'], paths: [...publicPaths, ...discoveryPaths] },
    { verbs: ['get'], groups: [''], resources: ['configmaps'], names: ['cluster-info'], namespaces: ['kube-public'] },
    rules.some('create', 'authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
    rules.some('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'group:system:bootstrappers': [
    rules.some('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
    rules.some('get', '', 'nodes'),
  ],
};

const componentRules: Policy = {
  'system:kube-scheduler': [
    electionLease,
    rules.events(),
    rules.read('', 'nodes', 'namespaces', 'services', 'replicationcontrollers', 'persistentvolumes'),
    rules.all('', 'persistentvolumeclaims'),
    rules.some('get list watch delete', '', 'pods'),
    rules.some('create', '', 'pods/binding', 'bindings'),
    rules.some('patch update', '', 'pods/status'),
    rules.read('apps', 'replicasets', 'statefulsets'),
    rules.read('policy', 'poddisruptionbudgets'),
    rules.read('storage.k8s.io', '*'),
    rules.read('scheduling.k8s.io', 'priorityclasses'),
  ],
  'system:kube-controller-manager': [
    electionLease,
    rules.events(),
    { verbs: ['get', 'list', 'watch'], groups: ['*'], resources: ['*'] },
    rules.some('create get', '', 'serviceaccounts', 'secrets', 'configmaps', 'namespaces'),
    rules.some('create', '', 'serviceaccounts/token'),
    rules.some('create', 'authentication.k8s.io', 'tokenreviews'),
    rules.some('create', 'authorization.k8s.io', 'subjectaccessreviews'),
  ],
  'system:kube-proxy': [
    rules.events(),
    rules.read('', 'services', 'endpoints', 'nodes', 'namespaces'),
    rules.read('discovery.k8s.io', 'endpointslices'),
  ],
  [controllerAccount('kube-dns')]: [
    rules.read('', 'services', 'endpoints', 'pods', 'namespaces', 'nodes'),
    rules.read('discovery.k8s.io', 'endpointslices'),
  ],
};

const signers: Rule = {
  verbs: ['approve', 'sign', 'attest'],
  groups: ['certificates.k8s.io'],
  resources: ['signers'],
};

/** What each controller of the controller manager may do, under its own account in kube-system. */
const controllerRules: Readonly<Record<string, readonly Rule[]>> = {
  'deployment-controller': [
    rules.read('apps', 'deployments', 'replicasets'),
    rules.some('update patch', 'apps', 'deployments', 'deployments/status', 'deployments/finalizers'),
    rules.write('apps', 'replicasets'),
    rules.some('get list watch update', '', 'pods'),
  ],
  'replicaset-controller': [
    rules.read('apps', 'replicasets'),
    rules.some('update patch', 'apps', 'replicasets', 'replicasets/status', 'replicasets/finalizers'),
    rules.all('', 'pods'),
  ],
  'endpointslice-controller': [
    rules.read('', 'services', 'pods', 'nodes'),
    rules.some('update', '', 'services/finalizers'),
    rules.all('discovery.k8s.io', 'endpointslices'),
  ],
  'endpoint-controller': [
    rules.read('', 'services', 'pods'),
    rules.all('', 'endpoints'),
    rules.some('create', '', 'endpoints/restricted'),
  ],
  'namespace-controller': [
    rules.some('get list watch delete', '', 'namespaces'),
    rules.some('update', '', 'namespaces/finalize', 'namespaces/status'),
    { verbs: ['get', 'list', 'delete', 'deletecollection'], groups: ['*'], resources: ['*'] },
  ],
  'service-account-controller': [rules.all('', 'serviceaccounts'), rules.read('', 'namespaces')],
  'root-ca-cert-publisher': [rules.all('', 'configmaps'), rules.read('', 'namespaces')],
  'generic-garbage-collector': [
    { verbs: ['get', 'list', 'watch', 'patch', 'update', 'delete'], groups: ['*'], resources: ['*'] },
  ],
  'node-controller': [
    rules.some('get list watch update patch delete', '', 'nodes', 'nodes/status'),
    rules.some('update patch', '', 'pods/status'),
    rules.some('get list watch delete', '', 'pods'),
    rules.read('coordination.k8s.io', 'leases'),
    rules.read('apps', 'daemonsets'),
  ],
  'service-controller': [rules.read('', 'services', 'nodes'), rules.some('update patch', '', 'services/status')],
  'pod-garbage-collector': [
    rules.some('get list watch delete', '', 'pods'),
    rules.some('patch update', '', 'pods/status'),
    rules.read('', 'nodes'),
  ],
  'certificate-controller': [
    rules.some('get list watch delete update', 'certificates.k8s.io', 'certificatesigningrequests'),
    rules.some(
      'update patch',
      'certificates.k8s.io',
      'certificatesigningrequests/status',
      'certificatesigningrequests/approval',
    ),
    signers,
    rules.some('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    rules.read('', 'nodes', 'pods'),
  ],
  'token-cleaner': [{ ...rules.some('get list watch delete', '', 'secrets'), namespaces: ['kube-system'] }],
  'bootstrap-signer': [
    { ...rules.read('', 'secrets'), namespaces: ['kube-system'] },
    { ...rules.some('get update patch', '', 'configmaps'), names: ['cluster-info'], namespaces: ['kube-public'] },
  ],
};

function controllers(): Policy {
  const policy: Record<string, readonly Rule[]> = {};
  const add = (account: string, given: readonly Rule[]): void => {
    policy[controllerAccount(account)] = [...given, rules.events()];
  };
  for (const [name, given] of Object.entries(controllerRules)) add(name, given);
  return policy;
}

/** The rights of the cluster's own parts, until roles are objects. Everything that is not here is forbidden. */
export const builtinPolicy: Policy = { ...clusterRules, ...componentRules, ...controllers() };
