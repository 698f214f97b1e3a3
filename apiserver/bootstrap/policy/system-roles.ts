import { eventsRule, READ, rule, urlRule } from '../../authorization/rule.js';
import type { DefaultRole } from './default-role.js';
import { nodeRules } from './node-rules.js';

const health = '/livez /readyz /healthz';
const version = '/version /version/';
const READ_UPDATE = `${READ} update patch`;
const certificates = 'certificates.k8s.io';
const reviews = [
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
];

const approver = (name: string, signer: string): DefaultRole => ({
  name: `system:certificates.k8s.io:${name}-approver`,
  rules: [rule('approve', certificates, 'signers', `kubernetes.io/${signer}`)],
});

const requestKind = (kind: string): DefaultRole => ({
  name: `system:certificates.k8s.io:certificatesigningrequests:${kind}`,
  rules: [rule('create', certificates, `certificatesigningrequests/${kind}`)],
});

/** The roles of everybody who asks, and of the parts of a cluster, as in the original. */
export const systemRoles: readonly DefaultRole[] = [
  {
    name: 'system:discovery',
    rules: [urlRule('get', `${health} ${version} /openapi /openapi/* /api /api/* /apis /apis/*`)],
  },
  { name: 'system:public-info-viewer', rules: [urlRule('get', `${health} ${version}`)] },
  {
    name: 'system:monitoring',
    rules: [urlRule('get', `/metrics /metrics/slis ${health} /livez/* /readyz/* /healthz/*`)],
  },
  {
    name: 'system:basic-user',
    rules: [
      rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
      rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
  },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [
      urlRule(
        'get',
        '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
      ),
    ],
  },
  {
    name: 'system:heapster',
    rules: [rule(READ, 'core', 'events namespaces nodes pods'), rule(READ, 'extensions', 'deployments')],
  },
  { name: 'system:node', rules: nodeRules },
  {
    name: 'system:node-problem-detector',
    rules: [rule('get', 'core', 'nodes'), rule('patch', 'core', 'nodes/status'), eventsRule()],
  },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      rule(READ, 'core', 'nodes'),
      rule('proxy', 'core', 'nodes'),
      rule('*', 'core', 'nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats'),
    ],
  },
  { name: 'system:node-bootstrapper', rules: [rule(`create ${READ}`, certificates, 'certificatesigningrequests')] },
  { name: 'system:auth-delegator', rules: reviews },
  {
    name: 'system:kube-aggregator',
    rules: [rule(READ, 'core', 'endpoints services'), rule(READ, 'discovery.k8s.io', 'endpointslices')],
  },
  {
    name: 'system:node-proxier',
    rules: [
      rule('list watch', 'core', 'endpoints services'),
      rule(READ, 'core', 'nodes'),
      eventsRule(),
      rule('list watch', 'discovery.k8s.io', 'endpointslices'),
      rule('list watch', 'networking.k8s.io', 'servicecidrs'),
    ],
  },
  { name: 'system:kube-dns', rules: [rule('list watch', 'core', 'endpoints services')] },
  {
    name: 'system:kube-controller-manager',
    rules: [
      eventsRule(),
      rule('create', 'coordination.k8s.io', 'leases'),
      rule('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
      rule('create', 'core', 'secrets serviceaccounts'),
      rule('delete', 'core', 'secrets'),
      rule('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
      rule('update', 'core', 'secrets serviceaccounts'),
      ...reviews,
      rule('list watch', '*', '*'),
      rule('create', 'core', 'serviceaccounts/token'),
    ],
  },
  {
    name: 'system:kube-scheduler',
    rules: [
      eventsRule(),
      rule('create', 'coordination.k8s.io', 'leases'),
      rule('get update', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
      rule(READ, 'core', 'nodes'),
      rule(`${READ} delete`, 'core', 'pods'),
      rule('create', 'core', 'bindings pods/binding'),
      rule('patch update', 'core', 'pods/status'),
      rule(READ, 'core', 'replicationcontrollers services'),
      rule(READ, 'apps extensions', 'replicasets'),
      rule(READ, 'apps', 'statefulsets'),
      rule(READ, 'policy', 'poddisruptionbudgets'),
      rule(READ, 'core', 'persistentvolumeclaims persistentvolumes'),
      ...reviews,
      rule(READ, 'storage.k8s.io', 'csinodes'),
      rule(READ, 'core', 'namespaces'),
      rule(READ, 'storage.k8s.io', 'csidrivers'),
      rule(READ, 'storage.k8s.io', 'csistoragecapacities'),
      rule(READ, 'storage.k8s.io', 'volumeattachments'),
      rule(READ, 'resource.k8s.io', 'deviceclasses resourceslices'),
      rule(READ_UPDATE, 'resource.k8s.io', 'resourceclaims'),
      rule('patch update', 'resource.k8s.io', 'resourceclaims/status'),
      rule('update', 'core', 'pods/finalizers'),
    ],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      rule(READ_UPDATE, 'core', 'persistentvolumes'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule(READ_UPDATE, 'core', 'persistentvolumeclaims'),
    ],
  },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      rule(`${READ} create delete`, 'core', 'persistentvolumes'),
      rule(`${READ} update`, 'core', 'persistentvolumeclaims'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule('watch', 'core', 'events'),
      eventsRule(),
    ],
  },
  requestKind('nodeclient'),
  requestKind('selfnodeclient'),
  approver('legacy-unknown', 'legacy-unknown'),
  approver('kubelet-serving', 'kubelet-serving'),
  approver('kube-apiserver-client', 'kube-apiserver-client'),
  approver('kube-apiserver-client-kubelet', 'kube-apiserver-client-kubelet'),
];
