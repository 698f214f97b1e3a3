import type { DownwardAPIVolumeFile, ProjectedVolumeSource, Volume } from '../../shared/api/generated/types.js';
import { canonical, pullPolicyOf } from './container-defaults.js';

/** 0644 */
const DEFAULT_MODE = 420;

/** Fills what a volume leaves out; a volume without a source is an emptyDir. */
export function setVolumeDefaults(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  if (volume.emptyDir?.sizeLimit !== undefined) volume.emptyDir.sizeLimit = canonical(volume.emptyDir.sizeLimit);
  if (volume.configMap) volume.configMap.defaultMode ??= DEFAULT_MODE;
  if (volume.secret) volume.secret.defaultMode ??= DEFAULT_MODE;
  if (volume.hostPath) volume.hostPath.type ??= '';
  if (volume.image) volume.image.pullPolicy ||= pullPolicyOf(volume.image.reference ?? '');
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= DEFAULT_MODE;
    setDownwardDefaults(volume.downwardAPI.items);
  }
  if (volume.projected) setProjectedDefaults(volume.projected);
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= 'default';
  if (volume.ephemeral?.volumeClaimTemplate) volume.ephemeral.volumeClaimTemplate.spec.volumeMode ??= 'Filesystem';
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
