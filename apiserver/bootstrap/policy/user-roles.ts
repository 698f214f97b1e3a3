import { READ, READ_WRITE, rule, urlRule, WRITE } from '../../authorization/rule.js';
import type { DefaultRole } from './default-role.js';

const aggregateTo = (role: string): Record<string, string> => ({
  [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true',
});
const aggregated = (role: string): DefaultRole['aggregationRule'] => ({
  clusterRoleSelectors: [{ matchLabels: aggregateTo(role) }],
});
const streams = 'pods/attach pods/exec pods/portforward pods/proxy';
const extensionWorkloads = 'daemonsets deployments deployments/scale replicasets replicasets/scale';

/**
 * The roles for people, as in the original: `view` is part of `edit`, which is part of `admin`, and whatever other roles
 * carry an aggregate-to label is added by the controller of aggregated roles.
 */
export const userRoles: readonly DefaultRole[] = [
  { name: 'cluster-admin', rules: [rule('*', '*', '*'), urlRule('*', '*')] },
  { name: 'admin', aggregationRule: aggregated('admin') },
  { name: 'edit', labels: aggregateTo('admin'), aggregationRule: aggregated('edit') },
  { name: 'view', labels: aggregateTo('edit'), aggregationRule: aggregated('view') },
  {
    name: 'system:aggregate-to-admin',
    labels: aggregateTo('admin'),
    rules: [
      rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
      rule(READ_WRITE, 'rbac.authorization.k8s.io', 'rolebindings roles'),
    ],
  },
  {
    name: 'system:aggregate-to-edit',
    labels: aggregateTo('edit'),
    rules: [
      rule(READ, 'core', `${streams} secrets services/proxy`),
      rule('impersonate', 'core', 'serviceaccounts'),
      rule(WRITE, 'core', `pods ${streams}`),
      rule('create', 'core', 'pods/eviction'),
      rule(
        WRITE,
        'core',
        'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
      ),
      rule('create', 'core', 'serviceaccounts/token'),
      rule(WRITE, 'apps', `${extensionWorkloads} deployments/rollback statefulsets statefulsets/scale`),
      rule(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
      rule(WRITE, 'batch', 'cronjobs jobs'),
      rule(
        WRITE,
        'extensions',
        `${extensionWorkloads} deployments/rollback ingresses networkpolicies replicationcontrollers/scale`,
      ),
      rule(WRITE, 'policy', 'poddisruptionbudgets'),
      rule(WRITE, 'networking.k8s.io', 'ingresses networkpolicies'),
      rule(READ_WRITE, 'coordination.k8s.io', 'leases'),
      rule(WRITE, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
    ],
  },
  {
    name: 'system:aggregate-to-view',
    labels: aggregateTo('view'),
    rules: [
      rule(
        READ,
        'core',
        'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
      ),
      rule(
        READ,
        'core',
        'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
      ),
      rule(READ, 'core', 'namespaces'),
      rule(READ, 'discovery.k8s.io', 'endpointslices'),
      rule(
        READ,
        'apps',
        `controllerrevisions ${extensionWorkloads} daemonsets/status deployments/status replicasets/status statefulsets statefulsets/scale statefulsets/status`,
      ),
      rule(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
      rule(READ, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
      rule(
        READ,
        'extensions',
        `${extensionWorkloads} daemonsets/status deployments/status ingresses ingresses/status networkpolicies replicasets/status replicationcontrollers/scale`,
      ),
      rule(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
      rule(READ, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
      rule(READ, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
    ],
  },
];
