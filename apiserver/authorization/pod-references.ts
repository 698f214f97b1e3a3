import type { Container, Pod, Volume } from '../../shared/api/generated/types.js';

const kinds: Readonly<Record<string, (pod: Pod) => (string | undefined)[]>> = {
  secrets: (pod) => [
    ...(pod.spec.imagePullSecrets ?? []).map(({ name }) => name),
    ...(pod.spec.volumes ?? []).flatMap(volumeSecrets),
    ...containers(pod).flatMap((container) => environmentNames(container, 'secret')),
  ],
  configmaps: (pod) => [
    ...(pod.spec.volumes ?? []).flatMap(volumeConfigMaps),
    ...containers(pod).flatMap((container) => environmentNames(container, 'configMap')),
  ],
  persistentvolumeclaims: (pod) => (pod.spec.volumes ?? []).map((volume) => volume.persistentVolumeClaim?.claimName),
  serviceaccounts: (pod) => [pod.spec.serviceAccountName],
};

/** Whether a pod names this secret, configmap, claim or serviceaccount of its namespace. */
export function references(pod: Pod, resource: string, name: string): boolean {
  return kinds[resource]?.(pod).includes(name) === true;
}

/** The first resource of which a pod names an object; undefined for a pod that names none. */
export function referencedResource(pod: Pod): string | undefined {
  return Object.keys(kinds).find((resource) => kinds[resource]?.(pod).some((name) => name));
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
