import type { AnyObject } from '../server-api.js';
import { groupOf, nameOf, versionOf } from './resource.js';

/** What others need comes first. */
const first = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
/** What could hold up the others comes last. */
const last = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

function rank(kind: string): number {
  if (first.includes(kind)) return first.indexOf(kind) - first.length;
  return last.indexOf(kind) + 1;
}

/** The order of `kubectl kustomize`: by kind, then by group, version, kind, namespace and name. */
export function inOrder(objects: readonly AnyObject[]): AnyObject[] {
  const text = (object: AnyObject): string => {
    const type = [groupOf(object) || '~G', versionOf(object) || '~V', object.kind || '~K'].join('_');
    return [type, object.metadata.namespace ?? '~X', nameOf(object)].join('|');
  };
  return [...objects].sort((a, b) => rank(a.kind) - rank(b.kind) || (text(a) < text(b) ? -1 : 1));
}
