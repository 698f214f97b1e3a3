import { isObject } from '../../shared/api/json.js';
import { Failure } from '../cluster/failure.js';
import type { AnyObject } from '../server-api.js';
import type { Image, Kustomization } from './kustomization.js';
import { changeAt, podSpecPath, templatePaths } from './paths.js';
import { identityOf, wasCalled, type Resource } from './resource.js';

type Texts = Readonly<Record<string, string>>;

/** Kinds whose names are not the writer's to choose. */
const keepsName: ReadonlySet<string> = new Set(['APIService', 'CustomResourceDefinition', 'Namespace']);
/** Kinds that stand in no namespace. */
const clusterScoped: ReadonlySet<string> = new Set([
  'APIService',
  'CSIDriver',
  'CSINode',
  'CertificateSigningRequest',
  'ClusterRole',
  'ClusterRoleBinding',
  'ClusterTrustBundle',
  'CustomResourceDefinition',
  'DeviceClass',
  'FlowSchema',
  'IPAddress',
  'IngressClass',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'PriorityLevelConfiguration',
  'ResourceSlice',
  'RuntimeClass',
  'ServiceCIDR',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
  'VolumeAttributesClass',
]);

/** Names and namespaces, labels and annotations, replicas and images, in the order of the original. */
export function transform(resources: readonly Resource[], kustomization: Kustomization): void {
  const { namespace, namePrefix = '', nameSuffix = '', labels, commonAnnotations, replicas, images } = kustomization;
  for (const resource of resources) {
    if (namespace !== undefined) {
      setNamespace(resource.object, namespace);
      resource.identities.push(identityOf(resource.object));
    }
    const { metadata, kind } = resource.object;
    if (!keepsName.has(kind)) metadata.name = `${namePrefix}${metadata.name ?? ''}${nameSuffix}`;
    for (const { pairs = {}, includeSelectors = false, includeTemplates = false } of labels) {
      addLabels(resource.object, pairs, includeSelectors || includeTemplates, includeSelectors);
    }
    if (Object.keys(commonAnnotations).length > 0) addAnnotations(resource.object, commonAnnotations);
  }
  for (const { name, count } of replicas) setReplicas(resources, name, count);
  for (const image of images) for (const { object } of resources) setImage(object, image);
  for (const resource of resources) resource.identities.push(identityOf(resource.object));
}

function setNamespace(object: AnyObject, namespace: string): void {
  const { kind } = object;
  if (kind === 'Namespace') object.metadata.name = namespace;
  else if (!clusterScoped.has(kind)) object.metadata.namespace = namespace;
  if (kind === 'RoleBinding' || kind === 'ClusterRoleBinding') {
    changeAt(object, 'subjects[]', (subject) =>
      isObject(subject) && subject['kind'] === 'ServiceAccount' && subject['name'] === 'default'
        ? { ...subject, namespace }
        : subject,
    );
  }
}

const merged =
  (added: Texts) =>
  (value: unknown): unknown => ({ ...(isObject(value) ? value : {}), ...added });

const selectorOwners: ReadonlySet<string> = new Set(['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet']);

function addLabels(object: AnyObject, pairs: Texts, inTemplates: boolean, inSelectors: boolean): void {
  const { kind } = object;
  const add = (path: string, creates: boolean): void => changeAt(object, path, merged(pairs), creates);
  add('metadata/labels', true);
  if (inTemplates) {
    const template = templatePaths[kind];
    if (template !== undefined) add(`${template}/metadata/labels`, true);
    if (kind === 'CronJob') add('spec/jobTemplate/metadata/labels', true);
    if (kind === 'StatefulSet') changeAt(object, 'spec/volumeClaimTemplates[]', (claim) => withLabels(claim, pairs));
  }
  if (!inSelectors) return;
  if (kind === 'Service' || kind === 'ReplicationController') add('spec/selector', true);
  if (selectorOwners.has(kind)) add('spec/selector/matchLabels', true);
  for (const path of selectorsOf(kind)) add(path, false);
}

const withLabels = (claim: unknown, pairs: Texts): unknown => {
  if (!isObject(claim)) return claim;
  const metadata = isObject(claim['metadata']) ? claim['metadata'] : {};
  return { ...claim, metadata: { ...metadata, labels: merged(pairs)(metadata['labels']) } };
};

/** Selectors that are extended where they are. */
function selectorsOf(kind: string): string[] {
  const pods = kind === 'Pod' ? undefined : podSpecPath(kind);
  const ofPods = ['podAffinity', 'podAntiAffinity'].flatMap((affinity) => [
    `affinity/${affinity}/preferredDuringSchedulingIgnoredDuringExecution[]/podAffinityTerm/labelSelector/matchLabels`,
    `affinity/${affinity}/requiredDuringSchedulingIgnoredDuringExecution[]/labelSelector/matchLabels`,
  ]);
  const byKind: Readonly<Record<string, readonly string[]>> = {
    Job: ['spec/selector/matchLabels'],
    CronJob: ['spec/jobTemplate/spec/selector/matchLabels'],
    PodDisruptionBudget: ['spec/selector/matchLabels'],
    NetworkPolicy: [
      'spec/podSelector/matchLabels',
      'spec/ingress[]/from[]/podSelector/matchLabels',
      'spec/egress[]/to[]/podSelector/matchLabels',
    ],
  };
  const spread = 'topologySpreadConstraints[]/labelSelector/matchLabels';
  return [
    ...(byKind[kind] ?? []),
    ...(pods !== undefined && (kind === 'Deployment' || kind === 'StatefulSet')
      ? [...ofPods, spread].map((path) => `${pods}/${path}`)
      : []),
  ];
}

function addAnnotations(object: AnyObject, annotations: Texts): void {
  const template = templatePaths[object.kind];
  changeAt(object, 'metadata/annotations', merged(annotations), true);
  if (template !== undefined) changeAt(object, `${template}/metadata/annotations`, merged(annotations), true);
  if (object.kind === 'CronJob') changeAt(object, 'spec/jobTemplate/metadata/annotations', merged(annotations), true);
}

const scaled: ReadonlySet<string> = new Set(['Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet']);

function setReplicas(resources: readonly Resource[], name: string, count: number): void {
  const found = resources.filter((one) => scaled.has(one.object.kind) && wasCalled(one, name));
  if (found.length === 0)
    throw new Failure(`resource with name ${name} does not match a config with the kinds ${[...scaled].join(', ')}`);
  for (const { object } of found) changeAt(object, 'spec/replicas', () => count, true);
}

function setImage(object: AnyObject, image: Image): void {
  const pods = podSpecPath(object.kind);
  if (pods === undefined) return;
  for (const containers of ['containers', 'initContainers', 'ephemeralContainers']) {
    changeAt(object, `${pods}/${containers}[]/image`, (value) => renamed(String(value), image));
  }
}

function renamed(reference: string, { name, newName, newTag, tagSuffix, digest }: Image): string {
  const [, path = '', tag, hash] = /^(.*?)(?::([^:/@]+))?(?:@(.+))?$/.exec(reference) ?? [];
  if (path !== name) return reference;
  const base = newName || path;
  if (digest) return `${base}${newTag ? `:${newTag}` : ''}@${digest}`;
  if (newTag) return `${base}:${newTag}${tagSuffix ?? ''}`;
  const kept = tag === undefined ? '' : `:${tag}${tagSuffix ?? ''}`;
  return `${base}${kept}${hash === undefined || tagSuffix ? '' : `@${hash}`}`;
}
