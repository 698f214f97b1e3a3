import { pods } from '../../shared/api/generated/resources.js';
import type { AuthenticationV1TokenRequest, Node, Pod } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { nodeNameOf } from '../authorization/node-identity.js';
import { referencedResource } from '../authorization/pod-references.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { forbidden, notFound } from '../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';

const mirrorAnnotation = 'kubernetes.io/config.mirror';
/** Labels of Kubernetes that a kubelet may set on its own Node; those of other people's prefixes are free. */
const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'node.kubernetes.io/windows-build',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
]);
const lies = (domain: string, within: string): boolean => domain === within || domain.endsWith(`.${within}`);

/** A node must not draw pods to itself by a label that means something to others. */
function isForbiddenLabel(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = slash < 0 ? '' : key.slice(0, slash);
  if (lies(domain, 'node-restriction.kubernetes.io')) return true;
  if (!lies(domain, 'kubernetes.io') && !lies(domain, 'k8s.io')) return false;
  return !kubeletLabels.has(key) && !lies(domain, 'kubelet.kubernetes.io') && !lies(domain, 'node.kubernetes.io');
}

/** A kubelet writes its own Node, Lease, pods' status and tokens, and nobody else's. */
export function nodeRestriction(objects: ObjectReader): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate: (request) => {
      const node = nodeNameOf(request.user);
      // Whom a node may connect to is the authorizer's question.
      if (node === undefined || request.operation === 'CONNECT') return;
      const { group, resource } = request.definition.resource;
      const refuse: Refuse = (why) => forbidden(request.definition.resource, request.name, why);
      if (group === '' && resource === 'pods') checkPod(request, node, refuse, objects);
      if (group === '' && resource === 'nodes') checkNode(request, node, refuse);
      if (group === '' && resource === 'serviceaccounts') checkToken(request, node, refuse, objects);
      if (group === 'coordination.k8s.io' && resource === 'leases') checkLease(request, node, refuse);
    },
  };
}

type Refuse = (why: string) => Error;

function checkPod(request: AdmissionRequest, node: string, refuse: Refuse, objects: ObjectReader): void {
  const pod = (request.object ?? request.oldObject) as unknown as (Pod & KubernetesObject) | undefined;
  const nodeText = JSON.stringify(node);
  switch (request.operation) {
    case 'CREATE':
      if (request.subresource === 'eviction') checkEviction(request, node, refuse, objects);
      if (request.subresource !== '') return;
      if (pod?.metadata.annotations?.[mirrorAnnotation] === undefined) {
        throw refuse(
          `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, node ${nodeText} can only create mirror pods`,
        );
      }
      if (pod.spec.nodeName !== node) {
        throw refuse(`node ${nodeText} can only create pods with spec.nodeName set to itself`);
      }
      checkMirror(pod, node, refuse);
      return;
    case 'UPDATE':
      if (request.subresource !== 'status')
        throw refuse(`unexpected pod subresource ${JSON.stringify(request.subresource)}`);
      if ((request.oldObject as unknown as Pod).spec.nodeName !== node) {
        throw refuse(`node ${nodeText} can only update pod status for pods with spec.nodeName set to itself`);
      }
      if (
        JSON.stringify(request.object?.metadata.labels ?? {}) !==
        JSON.stringify(request.oldObject?.metadata.labels ?? {})
      ) {
        throw refuse(`node ${nodeText} cannot update labels through pod status`);
      }
      return;
    case 'DELETE':
      if (pod?.spec.nodeName !== node) {
        throw refuse(`node ${nodeText} can only delete pods with spec.nodeName set to itself`);
      }
      return;
    default:
  }
}

function checkEviction(request: AdmissionRequest, node: string, refuse: Refuse, objects: ObjectReader): void {
  const pod = objects.find(pods, request.namespace, request.name);
  if (!pod) throw notFound(pods, request.name);
  if (pod.spec.nodeName !== node) {
    throw refuse(`node ${JSON.stringify(node)} can only evict pods with spec.nodeName set to itself`);
  }
}

/** Whatever a pod names is open to its node, so a node must not be able to name things itself. */
function checkMirror(pod: Pod & KubernetesObject, node: string, refuse: Refuse): void {
  const nodeText = JSON.stringify(node);
  const resource = referencedResource(pod);
  if (resource !== undefined) throw refuse(`node ${nodeText} can not create pods that reference ${resource}`);
  const isOwn = ({ apiVersion, kind, name }: { apiVersion: string; kind: string; name: string }): boolean =>
    apiVersion === 'v1' && kind === 'Node' && name === node;
  if (!(pod.metadata.ownerReferences ?? []).every(isOwn)) {
    throw refuse(`node ${nodeText} can only create pods with an owner reference set to itself`);
  }
}

function checkNode(request: AdmissionRequest, node: string, refuse: Refuse): void {
  if (request.name !== node)
    throw refuse(`node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(request.name)}`);
  if (request.operation === 'DELETE') throw refuse(`node ${JSON.stringify(node)} is not allowed to delete itself`);
  if (!request.object) return;
  const next = request.object as unknown as Node & KubernetesObject;
  const old = request.oldObject as unknown as (Node & KubernetesObject) | undefined;
  const isChanged = (key: string): boolean => next.metadata.labels?.[key] !== old?.metadata.labels?.[key];
  const labels = new Set([...Object.keys(next.metadata.labels ?? {}), ...Object.keys(old?.metadata.labels ?? {})]);
  const bad = [...labels].filter((key) => isForbiddenLabel(key) && isChanged(key));
  if (bad.length > 0) {
    const what = old ? 'modify labels' : 'set the following labels';
    throw refuse(`is not allowed to ${what}: ${bad.sort().join(', ')}`);
  }
  if (!old) return;
  if (JSON.stringify(next.spec?.taints ?? []) !== JSON.stringify(old.spec?.taints ?? [])) {
    throw refuse(`node ${JSON.stringify(node)} is not allowed to modify taints`);
  }
}

function checkLease(request: AdmissionRequest, node: string, refuse: Refuse): void {
  if (request.namespace !== 'kube-node-lease') {
    throw refuse(`can only access leases in the "kube-node-lease" system namespace`);
  }
  if (request.name !== node) throw refuse('can only access node lease with the same name as the requesting node');
}

function checkToken(request: AdmissionRequest, node: string, refuse: Refuse, objects: ObjectReader): void {
  if (request.subresource !== 'token') return;
  const ref = (request.object as unknown as AuthenticationV1TokenRequest | undefined)?.spec?.boundObjectRef;
  if (ref?.kind !== 'Pod' || !ref.name) throw refuse('node requested token not bound to a pod');
  if (!ref.uid) throw refuse('node requested token with a pod binding without a uid');
  const pod = objects.find(pods, request.namespace, ref.name);
  if (!pod) throw refuse(`pod ${JSON.stringify(ref.name)} not found`);
  if (pod.metadata.uid !== ref.uid) {
    throw refuse(
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec.nodeName !== node) throw refuse('node requested token bound to a pod scheduled on a different node');
}
