import type { Container } from '../../../shared/api/generated/types.js';
import { isSafeSeccomp, seccompProfile as baselineSeccomp } from './baseline-checks.js';
import {
  containersOf,
  containersText,
  namesOf,
  plural,
  quoted,
  settersText,
  sorted,
  type Check,
  type Violation,
} from './offenders.js';

/** Windows has none of what these checks are about. */
export const unlessWindows =
  (check: Check): Check =>
  (pod) =>
    pod.spec.os?.name === 'windows' ? undefined : check(pod);

export const allowPrivilegeEscalation: Check = (pod) => {
  const names = namesOf(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containersText(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

export const capabilities: Check = (pod) => {
  const isKeeping = ({ securityContext }: Container): boolean =>
    !(securityContext?.capabilities?.drop ?? []).includes('ALL');
  const added = ({ securityContext }: Container): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
  const keeping = namesOf(pod, isKeeping);
  const adding = namesOf(pod, (container) => added(container).length > 0);
  const details: string[] = [];
  if (keeping.length > 0) details.push(`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0) {
    const values = quoted(sorted(containersOf(pod).flatMap(added)));
    details.push(`${containersText(adding)} must not include ${values} in securityContext.capabilities.add`);
  }
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const allowedVolumes = new Set(
  'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret'.split(' '),
);
const forbiddenVolumes = (
  'hostPath gcePersistentDisk awsElasticBlockStore gitRepo nfs iscsi glusterfs rbd flexVolume cinder cephfs flocker fc ' +
  'azureFile vsphereVolume quobyte azureDisk photonPersistentDisk portworxVolume scaleIO storageos'
).split(' ');

export const restrictedVolumes: Check = ({ spec }) => {
  const isBad = (volume: object): boolean => !Object.keys(volume).some((field) => allowedVolumes.has(field));
  const bad = (spec.volumes ?? []).filter(isBad);
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map((volume) => forbiddenVolumes.find((type) => type in volume) ?? 'unknown'));
  const names = quoted(bad.map(({ name }) => name));
  const what = plural(types.length, 'restricted volume type', 'restricted volume types');
  return {
    reason: 'restricted volume types',
    detail: `${plural(bad.length, 'volume', 'volumes')} ${names} ${plural(bad.length, 'uses', 'use')} ${what} ${quoted(types)}`,
  };
};

export const runAsNonRoot: Check = (pod): Violation | undefined => {
  const reason = 'runAsNonRoot != true';
  const ofPod = pod.spec.securityContext?.runAsNonRoot;
  const refusing = namesOf(pod, ({ securityContext }) => securityContext?.runAsNonRoot === false);
  const setters = settersText(ofPod === false, refusing);
  if (setters !== '') return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` };
  if (ofPod === true) return undefined;
  const silent = namesOf(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true` };
};

export const runAsUser: Check = (pod) => {
  const names = namesOf(pod, ({ securityContext }) => securityContext?.runAsUser === 0);
  const setters = settersText(pod.spec.securityContext?.runAsUser === 0, names);
  return setters === '' ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` };
};

export const seccompProfile: Check = (pod) => {
  const wrong = baselineSeccomp(pod);
  if (wrong) return wrong;
  if (isSafeSeccomp(pod.spec.securityContext?.seccompProfile?.type ?? '')) return undefined;
  const silent = namesOf(pod, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  const wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return { reason: 'seccompProfile', detail: `pod or ${containersText(silent)} ${wanted}` };
};
