import type {
  DownwardAPIVolumeFile,
  PersistentVolumeClaimSpec,
  ProjectedVolumeSource,
  Volume,
} from '../../shared/api/generated/types.js';
import { canonical, canonicalizeQuantities, pullPolicyOf } from './container-defaults.js';

/** 0644 */
const DEFAULT_MODE = 420;

/** Fills what a volume leaves out; a volume without a source is an emptyDir. */
export function setVolumeDefaults(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  if (volume.emptyDir?.sizeLimit !== undefined) volume.emptyDir.sizeLimit = canonical(volume.emptyDir.sizeLimit);
  if (volume.configMap) volume.configMap.defaultMode ??= DEFAULT_MODE;
  if (volume.secret) volume.secret.defaultMode ??= DEFAULT_MODE;
  if (volume.image) volume.image.pullPolicy ||= pullPolicyOf(volume.image.reference ?? '');
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= DEFAULT_MODE;
    setDownwardDefaults(volume.downwardAPI.items);
  }
  if (volume.projected) setProjectedDefaults(volume.projected);
  setSourceDefaults(volume);
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (template) setClaimSpecDefaults((template.spec ??= {}));
}

/** What holds for claims and for templates of claims. */
export function setClaimSpecDefaults(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem';
  canonicalizeQuantities(spec.resources?.requests);
  canonicalizeQuantities(spec.resources?.limits);
}

type Sources = Pick<Volume, 'hostPath' | 'iscsi' | 'azureDisk'> & {
  rbd?: { pool?: string; user?: string; keyring?: string };
  scaleIO?: { storageMode?: string; fsType?: string };
};

/** What volumes of pods and PersistentVolumes have in common. */
export function setSourceDefaults({ hostPath, iscsi, rbd, scaleIO, azureDisk }: Sources): void {
  if (hostPath) hostPath.type ??= '';
  if (iscsi) iscsi.iscsiInterface ||= 'default';
  if (rbd) {
    rbd.pool ||= 'rbd';
    rbd.user ||= 'admin';
    rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (scaleIO) {
    scaleIO.storageMode ||= 'ThinProvisioned';
    scaleIO.fsType ||= 'xfs';
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite';
    azureDisk.kind ??= 'Shared';
    azureDisk.fsType ??= 'ext4';
    azureDisk.readOnly ??= false;
  }
}

function setProjectedDefaults(projected: ProjectedVolumeSource): void {
  projected.defaultMode ??= DEFAULT_MODE;
  for (const source of projected.sources ?? []) {
    setDownwardDefaults(source.downwardAPI?.items);
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
  }
}

function setDownwardDefaults(items: DownwardAPIVolumeFile[] | undefined): void {
  for (const { fieldRef, resourceFieldRef } of items ?? []) {
    if (fieldRef) fieldRef.apiVersion ||= 'v1';
    if (resourceFieldRef) resourceFieldRef.divisor = canonical(resourceFieldRef.divisor ?? '0');
  }
}
