import type { ContainerConfig, SandboxConfig } from '../runtime/container-runtime.js';

/** A sandbox with nothing special about it. */
export function sandboxConfigOf(name: string, uid: string, more: Partial<SandboxConfig> = {}): SandboxConfig {
  return {
    pod: { namespace: 'default', name, uid },
    attempt: 0,
    hostname: name,
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    shareProcessNamespace: false,
    sysctls: {},
    portMappings: [],
    annotations: {},
    ...more,
  };
}

/** A container `main` with nothing special about it. */
export function containerConfigOf(image: string, more: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    name: 'main',
    attempt: 0,
    image,
    env: [],
    mounts: [],
    resources: {},
    security: {
      privileged: false,
      readOnlyRootFilesystem: false,
      noNewPrivileges: false,
      supplementalGroups: [],
      addCapabilities: [],
      dropCapabilities: [],
    },
    tty: false,
    stdin: false,
    stdinOnce: false,
    terminationMessagePath: '',
    terminationMessageHostPath: '',
    annotations: {},
    ...more,
  };
}
