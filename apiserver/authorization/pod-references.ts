import type { Container, Pod, Volume } from '../../shared/api/generated/types.js';

/** Whether a pod names this secret, configmap, claim or serviceaccount of its namespace. */
export function references(pod: Pod, resource: string, name: string): boolean {
  switch (resource) {
    case 'secrets':
      return (
        (pod.spec.imagePullSecrets ?? []).some((reference) => reference.name === name) ||
        (pod.spec.volumes ?? []).some((volume) => volumeSecrets(volume).includes(name)) ||
        containers(pod).some((container) => environmentNames(container, 'secret').includes(name))
      );
    case 'configmaps':
      return (
        (pod.spec.volumes ?? []).some((volume) => volumeConfigMaps(volume).includes(name)) ||
        containers(pod).some((container) => environmentNames(container, 'configMap').includes(name))
      );
    case 'persistentvolumeclaims':
      return (pod.spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim?.claimName === name);
    case 'serviceaccounts':
      return pod.spec.serviceAccountName === name;
    default:
      return false;
  }
}

function containers({ spec }: Pod): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...((spec.ephemeralContainers ?? []) as Container[])];
}

function volumeSecrets(volume: Volume): (string | undefined)[] {
  return [
    volume.secret?.secretName,
    ...(volume.projected?.sources ?? []).map((source) => source.secret?.name),
    volume.csi?.nodePublishSecretRef?.name,
  ];
}

function volumeConfigMaps(volume: Volume): (string | undefined)[] {
  return [volume.configMap?.name, ...(volume.projected?.sources ?? []).map((source) => source.configMap?.name)];
}

function environmentNames(container: Container, kind: 'secret' | 'configMap'): (string | undefined)[] {
  const fromAll = (container.envFrom ?? []).map(
    (from) => (kind === 'secret' ? from.secretRef : from.configMapRef)?.name,
  );
  const fromKeys = (container.env ?? []).map(({ valueFrom }) =>
    kind === 'secret' ? valueFrom?.secretKeyRef?.name : valueFrom?.configMapKeyRef?.name,
  );
  return [...fromAll, ...fromKeys];
}
