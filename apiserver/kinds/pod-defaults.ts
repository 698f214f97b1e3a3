import type { Container, Pod, PodSpec, PodStatus, PodTemplateSpec } from '../../shared/api/generated/types.js';
import { DEFAULT_SCHEDULER } from '../../shared/api/well-known.js';
import {
  canonicalizeQuantities,
  canonicalizeResources,
  setContainerDefaults,
  setRequestsFromLimits,
} from './container-defaults.js';
import { setVolumeDefaults } from './volume-defaults.js';

/** What holds for pods and for templates of pods. */
function setPodSpecDefaults(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= DEFAULT_SCHEDULER;
  // The old name of the field is kept equal to the new one, which wins.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
  for (const container of spec.initContainers ?? []) setContainerDefaults(container);
  for (const container of spec.containers ?? []) setContainerDefaults(container);
  for (const container of spec.ephemeralContainers ?? []) setContainerDefaults(container);
  canonicalizeQuantities(spec.overhead);
  canonicalizeResources(spec.resources);
}

/** The template of a workload, which may be absent altogether. */
export function setPodTemplateDefaults(template: PodTemplateSpec): void {
  template.metadata ??= {} as PodTemplateSpec['metadata'];
  template.spec ??= { containers: [] };
  setPodSpecDefaults(template.spec);
}

/** The defaults of a pod itself: more than those of a template, which must stay as its author wrote it. */
export function setPodDefaults(pod: Pod): void {
  pod.spec ??= { containers: [] };
  setPodSpecDefaults(pod.spec);
  const containers = [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])];
  for (const container of containers) setRequestsFromLimits(container.resources);
  setRequestsFromLimits(pod.spec.resources);
  pod.spec.enableServiceLinks ??= true;
  setAddresses(pod.status);
  if (pod.spec.hostNetwork) for (const container of containers) setHostPorts(container);
}

/** The old fields for one address are kept equal to the first of the new ones. */
function setAddresses(status: PodStatus | undefined): void {
  if (!status) return;
  if (status.podIPs?.[0]?.ip) status.podIP = status.podIPs[0].ip;
  else if (status.podIP) status.podIPs = [{ ip: status.podIP }];
}

/** In the node's network the port of the container is the port of the host. */
function setHostPorts(container: Container): void {
  for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
}
