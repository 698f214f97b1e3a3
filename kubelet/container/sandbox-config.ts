import type { ContainerPort, Pod } from '../../shared/api/generated/types.js';
import { quantityValue } from '../../shared/api/quantity.js';
import { podHostname } from '../network/hosts-file.js';
import { sysctlName } from '../node/sysctl-allowlist.js';
import type { SandboxConfig } from '../runtime/container-runtime.js';

/** The sandbox that a pod asks for. Pure; `hostIP` is where hostPorts are bound unless the pod says otherwise. */
export function sandboxConfig(pod: Pod, attempt: number, clusterDomain: string, hostIP: string): SandboxConfig {
  const { spec, metadata } = pod;
  return {
    pod: { namespace: metadata.namespace ?? '', name: metadata.name ?? '', uid: metadata.uid ?? '' },
    attempt,
    hostname: podHostname(pod, clusterDomain),
    hostNetwork: spec.hostNetwork === true,
    hostPID: spec.hostPID === true,
    hostIPC: spec.hostIPC === true,
    shareProcessNamespace: spec.shareProcessNamespace === true,
    sysctls: Object.fromEntries(
      (spec.securityContext?.sysctls ?? []).map(({ name, value }) => [sysctlName(name), value]),
    ),
    portMappings: spec.hostNetwork ? [] : portMappings(pod, hostIP),
    memoryVolumes: memoryVolumes(pod),
    annotations: {},
  };
}

function portMappings(pod: Pod, hostIP: string): SandboxConfig['portMappings'] {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  return ports
    .filter((port): port is ContainerPort & { hostPort: number } => (port.hostPort ?? 0) > 0)
    .map((port) => ({
      protocol: protocolOf(port),
      containerPort: port.containerPort,
      hostPort: port.hostPort,
      hostIP: port.hostIP && port.hostIP !== '0.0.0.0' ? port.hostIP : hostIP,
    }));
}

function protocolOf({ protocol }: ContainerPort): 'TCP' | 'UDP' | 'SCTP' {
  return protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP';
}

function memoryVolumes(pod: Pod): NonNullable<SandboxConfig['memoryVolumes']> {
  const fsGroup = pod.spec.securityContext?.fsGroup;
  return (pod.spec.volumes ?? [])
    .filter((volume) => volume.emptyDir?.medium === 'Memory')
    .map((volume) => {
      const limit = volume.emptyDir?.sizeLimit;
      return {
        name: volume.name,
        ...(limit ? { sizeBytes: quantityValue(limit) } : {}),
        ...(fsGroup === undefined ? {} : { fsGroup }),
      };
    });
}
