import type { Volume } from '../../shared/api/generated/types.js';
import type { Lines } from './lines.js';

export function describeVolumes(lines: Lines, volumes: readonly Volume[], indent: string): void {
  lines.add(0, `${indent}Volumes:`, ...(volumes.length === 0 ? ['<none>'] : []));
  for (const volume of volumes) {
    lines.add(1, `${indent === '' ? '' : ' '}${volume.name}:`);
    describeVolumeSource(lines, volume);
  }
}

const flag = (value: boolean | undefined): string => String(value ?? false);

/** The source of a pod's volume, or of a PersistentVolume. */
export function describeVolumeSource(lines: Lines, source: object): void {
  const { nfs, csi, local } = source as { nfs?: NfsSource; csi?: CsiSource; local?: { path: string } };
  if (nfs) {
    lines.add(2, 'Type:', 'NFS (an NFS mount that lasts the lifetime of a pod)');
    lines.add(2, 'Server:', nfs.server);
    lines.add(2, 'Path:', nfs.path);
    lines.add(2, 'ReadOnly:', flag(nfs.readOnly));
  } else if (local) {
    lines.add(2, 'Type:', 'LocalVolume (a persistent volume backed by local storage on a node)');
    lines.add(2, 'Path:', local.path);
  } else if (csi) {
    lines.add(2, 'Type:', 'CSI (a Container Storage Interface (CSI) volume source)');
    lines.add(2, 'Driver:', csi.driver);
    lines.add(2, 'FSType:', csi.fsType ?? '');
    lines.add(2, 'VolumeHandle:', csi.volumeHandle ?? '');
    lines.add(2, 'ReadOnly:', flag(csi.readOnly));
  } else describeSource(lines, source as Volume);
}

interface NfsSource {
  server: string;
  path: string;
  readOnly?: boolean;
}
interface CsiSource {
  driver: string;
  fsType?: string;
  volumeHandle?: string;
  readOnly?: boolean;
}

function describeSource(lines: Lines, volume: Volume): void {
  const { emptyDir, hostPath, configMap, secret, projected, downwardAPI, persistentVolumeClaim } = volume;
  const type = (text: string): void => lines.add(2, 'Type:', text);
  if (emptyDir) {
    type("EmptyDir (a temporary directory that shares a pod's lifetime)");
    lines.add(2, 'Medium:', emptyDir.medium ?? '');
    lines.add(2, 'SizeLimit:', emptyDir.sizeLimit ?? '<unset>');
  } else if (hostPath) {
    type('HostPath (bare host directory volume)');
    lines.add(2, 'Path:', hostPath.path);
    lines.add(2, 'HostPathType:', hostPath.type ?? '');
  } else if (configMap) {
    type('ConfigMap (a volume populated by a ConfigMap)');
    lines.add(2, 'Name:', configMap.name ?? '');
    lines.add(2, 'Optional:', flag(configMap.optional));
  } else if (secret) {
    type('Secret (a volume populated by a Secret)');
    lines.add(2, 'SecretName:', secret.secretName ?? '');
    lines.add(2, 'Optional:', flag(secret.optional));
  } else if (downwardAPI) {
    type('DownwardAPI (a volume populated by information about the pod)');
    lines.add(2, 'Items:');
    for (const { fieldRef, resourceFieldRef, path } of downwardAPI.items ?? []) {
      lines.add(3, `${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? ''} -> ${path}`);
    }
  } else if (persistentVolumeClaim) {
    type('PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)');
    lines.add(2, 'ClaimName:', persistentVolumeClaim.claimName);
    lines.add(2, 'ReadOnly:', flag(persistentVolumeClaim.readOnly));
  } else if (projected) {
    type('Projected (a volume that contains injected data from multiple sources)');
    describeProjected(lines, projected.sources ?? []);
  } else {
    const [kind] = Object.keys(volume).filter((key) => key !== 'name');
    type(kind ?? '<unknown>');
  }
}

type Sources = NonNullable<NonNullable<Volume['projected']>['sources']>;

function describeProjected(lines: Lines, sources: Sources): void {
  for (const { secret, configMap, downwardAPI, serviceAccountToken } of sources) {
    if (secret) {
      lines.add(2, 'SecretName:', secret.name ?? '');
      lines.add(2, 'Optional:', flag(secret.optional));
    } else if (downwardAPI) {
      lines.add(2, 'DownwardAPI:', 'true');
    } else if (configMap) {
      lines.add(2, 'ConfigMapName:', configMap.name ?? '');
      lines.add(2, 'Optional:', flag(configMap.optional));
    } else if (serviceAccountToken) {
      lines.add(2, 'TokenExpirationSeconds:', String(serviceAccountToken.expirationSeconds ?? 3600));
    }
  }
}
