import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  TopologySelectorTerm,
} from '../shared/api/generated/types.js';
import { quantityValue } from '../shared/api/quantity.js';
import { matchesSelector, selectorOf } from '../shared/api/selector.js';
import { ANNOTATION_STORAGE_CLASS } from '../shared/api/well-known.js';
import { matchesNodeTerm } from './node-affinity.js';

/** What is asked for, and what there is, in bytes. */
export const claimSize = (claim: PersistentVolumeClaim): number =>
  quantityValue(claim.spec.resources?.requests?.['storage'] ?? '0');
const volumeSize = (volume: PersistentVolume): number => quantityValue(volume.spec.capacity?.['storage'] ?? '0');

/** Name of the class that a claim or a volume names; the annotation is older and goes first. */
export const classNameOf = (object: PersistentVolume | PersistentVolumeClaim): string =>
  object.metadata.annotations?.[ANNOTATION_STORAGE_CLASS] ?? object.spec.storageClassName ?? '';

/** Whether the volume can be used on the node. */
export function isReachable(volume: PersistentVolume, node: Node): boolean {
  const required = volume.spec.nodeAffinity?.required;
  return !required || required.nodeSelectorTerms.some((term) => matchesNodeTerm(term, node));
}

const zoneLabels = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
];

/** Whether the labels of a volume leave the zone of the node open; `__` divides several zones. A node without zones takes all. */
export function isInZone(volume: PersistentVolume, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  if (!zoneLabels.some((label) => labels[label] !== undefined)) return true;
  return zoneLabels.every((label) => {
    const zones = volume.metadata.labels?.[label];
    return zones === undefined || zones.split('__').includes(labels[label] ?? '');
  });
}

/** Whether a class makes volumes for this node. */
export const isAllowedTopology = ({ allowedTopologies = [] }: StorageClass, node: Node): boolean =>
  allowedTopologies.length === 0 || allowedTopologies.some((term) => matchesTopology(term, node));

const matchesTopology = ({ matchLabelExpressions = [] }: TopologySelectorTerm, node: Node): boolean =>
  matchLabelExpressions.length > 0 &&
  matchLabelExpressions.every(({ key, values }) => values.includes(node.metadata.labels?.[key] ?? ''));

/** Whether the volume is promised to this very claim. */
function isMeantFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const reference = spec.claimRef;
  if (reference?.name !== metadata.name || reference.namespace !== metadata.namespace) return false;
  return !reference.uid || reference.uid === metadata.uid;
}

/**
 * The volume that a claim gets on a node: the one that names the claim, else the smallest that is large enough. `undefined`
 * when there is none, or when the one that names the claim cannot be used there.
 */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
  node: Node,
): PersistentVolume | undefined {
  let smallest: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (volume.metadata.deletionTimestamp || volumeSize(volume) < claimSize(claim)) continue;
    if ((volume.spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')) continue;
    if (isMeantFor(volume, claim)) return isReachable(volume, node) ? volume : undefined;
    if (!isFree(volume, claim) || !isReachable(volume, node)) continue;
    if (!smallest || volumeSize(volume) < volumeSize(smallest)) smallest = volume;
  }
  return smallest;
}

function isFree(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (volume.spec.claimRef || volume.status?.phase !== 'Available') return false;
  if (classNameOf(volume) !== classNameOf(claim)) return false;
  const modes = new Set(volume.spec.accessModes);
  if (!(claim.spec.accessModes ?? []).every((mode) => modes.has(mode))) return false;
  return !claim.spec.selector || matchesSelector(selectorOf(claim.spec.selector), volume.metadata.labels);
}
