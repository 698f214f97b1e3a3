import type { Node, PersistentVolume, PersistentVolumeClaim } from '../shared/api/generated/types.js';
import { isControlledBy } from '../shared/api/owner.js';
import { ANNOTATION_BIND_COMPLETED } from '../shared/api/well-known.js';
import type { NodeTable } from './node-table.js';
import type { ClaimUse, PodInfo } from './pod-info.js';
import type { VolumeCatalog, VolumeDecision } from './volume-catalog.js';
import { claimSize, classNameOf, findVolume, isAllowedTopology, isInZone, isReachable } from './volume-matching.js';

export const volumeNodeReason = "node(s) didn't match PersistentVolume's node affinity";
export const volumeZoneReason = 'node(s) had no available volume zone';
export const volumeBindReason = "node(s) didn't find available persistent volumes to bind";
export const volumeMissingReason = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';
export const oncePodReason =
  'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';
const unboundMessage = 'pod has unbound immediate PersistentVolumeClaims';
const noProvisioner = 'kubernetes.io/no-provisioner';

/** What the claims of one pod mean for the nodes. */
export interface VolumeRules {
  /** Why a node cannot be had; empty when it can. */
  refusals(node: Node): string[];
  /** What must be written and waited for before the pod is bound to that node; undefined when all claims are bound. */
  decision(node: Node): VolumeDecision | undefined;
}

/**
 * Looks at the claims of a pod, which has some. No node is worth a look while a claim is missing, on its way out, or waits for a
 * volume that is not chosen by the scheduler: then the answer is that sentence.
 */
export function volumeRules(info: PodInfo, catalog: VolumeCatalog, table: NodeTable): VolumeRules | string {
  const bound: PersistentVolumeClaim[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  for (const use of info.claims) {
    const claim = catalog.claim(use.key);
    const problem = claimProblem(info, use, claim);
    if (problem !== undefined) return problem;
    if (!claim) continue;
    if (isBound(claim)) bound.push(claim);
    else if (claim.spec.volumeName || !isDelayed(claim, catalog)) return unboundMessage;
    else delayed.push(claim);
  }
  delayed.sort((a, b) => claimSize(a) - claimSize(b));
  const exclusive = [...bound, ...delayed].filter((c) => c.spec.accessModes?.includes('ReadWriteOncePod'));
  const volumes = bound.map((claim) => catalog.volume(claim.spec.volumeName ?? ''));
  return {
    refusals: (node) => {
      if (exclusive.some(({ metadata }) => table.isClaimUsed(`${metadata.namespace}/${metadata.name}`)))
        return [oncePodReason];
      const reasons = boundRefusals(volumes, node);
      return delayed.length > 0 && !decide(delayed, catalog, node) ? [...reasons, volumeBindReason] : reasons;
    },
    decision: (node) => (delayed.length === 0 ? undefined : decide(delayed, catalog, node)),
  };
}

function claimProblem(
  { pod }: PodInfo,
  { name, isEphemeral }: ClaimUse,
  claim: PersistentVolumeClaim | undefined,
): string | undefined {
  const quoted = JSON.stringify(name);
  if (!claim)
    return isEphemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
      : `persistentvolumeclaim ${quoted} not found`;
  if (claim.status?.phase === 'Lost')
    return `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName ?? '')}`;
  if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim ${quoted} is being deleted`;
  if (isEphemeral && !isControlledBy(claim, pod))
    return `PVC ${claim.metadata.namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
  return undefined;
}

const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.[ANNOTATION_BIND_COMPLETED] !== undefined;

const isDelayed = (claim: PersistentVolumeClaim, catalog: VolumeCatalog): boolean =>
  catalog.storageClass(classNameOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';

function boundRefusals(volumes: readonly (PersistentVolume | undefined)[], node: Node): string[] {
  const found = volumes.filter((volume) => volume !== undefined);
  const reasons: string[] = [];
  if (found.some((volume) => !isReachable(volume, node))) reasons.push(volumeNodeReason);
  if (found.length < volumes.length) reasons.push(volumeMissingReason);
  if (reasons.length === 0 && found.some((volume) => !isInZone(volume, node))) reasons.push(volumeZoneReason);
  return reasons;
}

/** A volume or a provisioner for each claim; undefined when one would have neither. Smallest claims choose first. */
function decide(
  claims: readonly PersistentVolumeClaim[],
  catalog: VolumeCatalog,
  node: Node,
): VolumeDecision | undefined {
  const bindings: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
  const provisions: PersistentVolumeClaim[] = [];
  for (const claim of claims) {
    const selected = catalog.selectedNode(claim);
    if (selected !== undefined && selected !== node.metadata.name) return undefined;
    const free = catalog.volumesFor(claim).filter((volume) => !bindings.some((b) => b.volume === volume));
    const volume = selected === undefined ? findVolume(claim, free, node) : undefined;
    if (volume) bindings.push({ claim, volume });
    else if (isProvisioned(claim, catalog, node)) provisions.push(claim);
    else return undefined;
  }
  return { node: node.metadata.name, bindings, provisions };
}

function isProvisioned(claim: PersistentVolumeClaim, catalog: VolumeCatalog, node: Node): boolean {
  const storageClass = catalog.storageClass(classNameOf(claim));
  if (!storageClass?.provisioner || storageClass.provisioner === noProvisioner) return false;
  return isAllowedTopology(storageClass, node);
}
