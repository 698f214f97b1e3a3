import { isObject } from '../../shared/api/json.js';
import type { AnyObject } from '../server-api.js';
import { changeAt, podSpecPath } from './paths.js';
import { identityOf, wasCalled, type Resource } from './resource.js';

/** Fields of a pod's specification that name objects, by the kind that they name. */
const ofPods: Readonly<Record<string, readonly string[]>> = {
  ConfigMap: [
    'volumes[]/configMap/name',
    'volumes[]/projected/sources[]/configMap/name',
    ...['containers', 'initContainers', 'ephemeralContainers'].flatMap((containers) => [
      `${containers}[]/env[]/valueFrom/configMapKeyRef/name`,
      `${containers}[]/envFrom[]/configMapRef/name`,
    ]),
  ],
  Secret: [
    'volumes[]/secret/secretName',
    'volumes[]/projected/sources[]/secret/name',
    'volumes[]/csi/nodePublishSecretRef/name',
    'imagePullSecrets[]/name',
    ...['containers', 'initContainers', 'ephemeralContainers'].flatMap((containers) => [
      `${containers}[]/env[]/valueFrom/secretKeyRef/name`,
      `${containers}[]/envFrom[]/secretRef/name`,
    ]),
  ],
  PersistentVolumeClaim: ['volumes[]/persistentVolumeClaim/claimName'],
  ServiceAccount: ['serviceAccountName'],
  PriorityClass: ['priorityClassName'],
};

/** Fields of other objects: `KIND PATH`, by the kind that they name. */
const ofKinds: Readonly<Record<string, readonly string[]>> = {
  Secret: ['Ingress spec/tls[]/secretName', 'ServiceAccount secrets[]/name', 'ServiceAccount imagePullSecrets[]/name'],
  Service: [
    'StatefulSet spec/serviceName',
    'Ingress spec/rules[]/http/paths[]/backend/serviceName',
    'Ingress spec/rules[]/http/paths[]/backend/service/name',
    'Ingress spec/backend/serviceName',
    'Ingress spec/defaultBackend/service/name',
    'APIService spec/service/name',
    'CustomResourceDefinition spec/conversion/webhook/clientConfig/service/name',
    'MutatingWebhookConfiguration webhooks[]/clientConfig/service/name',
    'ValidatingWebhookConfiguration webhooks[]/clientConfig/service/name',
  ],
  PersistentVolume: ['PersistentVolumeClaim spec/volumeName'],
  StorageClass: [
    'PersistentVolume spec/storageClassName',
    'PersistentVolumeClaim spec/storageClassName',
    'StatefulSet spec/volumeClaimTemplates[]/spec/storageClassName',
  ],
  IngressClass: ['Ingress spec/ingressClassName'],
  ValidatingAdmissionPolicy: ['ValidatingAdmissionPolicyBinding spec/policyName'],
};
/** Kinds that are named together with their own kind: `scaleTargetRef`, `roleRef`. */
const typed: readonly (readonly [kind: string, path: string, targets: readonly string[]])[] = [
  [
    'HorizontalPodAutoscaler',
    'spec/scaleTargetRef',
    ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'],
  ],
  ['RoleBinding', 'roleRef', ['Role', 'ClusterRole']],
  ['ClusterRoleBinding', 'roleRef', ['ClusterRole']],
];

/** Gives the fields that name other objects the names that these have now. */
export function updateReferences(resources: readonly Resource[]): void {
  for (const referrer of resources) {
    const { object } = referrer;
    const rename = (kind: string, path: string): void =>
      changeAt(object, path, (value) => currentName(value, kind, referrer, resources));
    const pods = podSpecPath(object.kind);
    if (pods !== undefined)
      for (const [kind, paths] of Object.entries(ofPods)) for (const path of paths) rename(kind, `${pods}/${path}`);
    for (const [kind, fields] of Object.entries(ofKinds)) {
      for (const field of fields) {
        const [owner = '', path = ''] = field.split(' ');
        if (owner === object.kind) rename(kind, path);
      }
    }
    for (const [owner, path, targets] of typed)
      if (owner === object.kind) renameTyped(referrer, path, targets, resources);
    if (object.kind === 'RoleBinding' || object.kind === 'ClusterRoleBinding') renameSubjects(referrer, resources);
  }
}

function renameTyped(
  referrer: Resource,
  path: string,
  targets: readonly string[],
  resources: readonly Resource[],
): void {
  changeAt(referrer.object, path, (reference) => {
    if (!isObject(reference) || !targets.includes(String(reference['kind']))) return undefined;
    return { ...reference, name: currentName(reference['name'], String(reference['kind']), referrer, resources) };
  });
}

function renameSubjects(referrer: Resource, resources: readonly Resource[]): void {
  changeAt(referrer.object, 'subjects[]', (subject) => {
    if (!isObject(subject) || subject['kind'] !== 'ServiceAccount') return subject;
    const given = subject['namespace'] as string | undefined;
    const found = resources.find(
      (one) => one.object.kind === 'ServiceAccount' && wasCalled(one, String(subject['name']), given ?? 'default'),
    );
    if (!found) return subject;
    const { name, namespace } = identityOf(found.object);
    return { ...subject, name, ...(namespace === undefined ? {} : { namespace }) };
  });
}

/** The name that the object has now that was called so where the referring one was written. */
function currentName(value: unknown, kind: string, referrer: Resource, resources: readonly Resource[]): unknown {
  if (typeof value !== 'string') return value;
  const candidates = resources.filter((one) => one.object.kind === kind && isMeant(one, value, referrer.object));
  const near = candidates
    .map((one) => ({ one, shared: one.layers.filter((layer) => referrer.layers.includes(layer)).length }))
    .sort((a, b) => b.shared - a.shared);
  return near[0]?.one.object.metadata.name ?? value;
}

function isMeant(one: Resource, name: string, referrer: AnyObject): boolean {
  const isNear =
    one.object.metadata.namespace === undefined || one.object.metadata.namespace === referrer.metadata.namespace;
  return wasCalled(one, name) && (isNear || referrer.metadata.namespace === undefined);
}
