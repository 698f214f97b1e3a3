import type { Container, Pod, SecurityContext } from '../../shared/api/generated/types.js';
import { Failure } from '../cluster/failure.js';

/** How a debugging container comes to be: into a running pod, into a copy of it, or as a pod of a node. */
export type DebugStyle = 'ephemeral' | 'copy' | 'node';

const profiles = ['legacy', 'general', 'baseline', 'netadmin', 'restricted', 'sysadmin'] as const;
export type Profile = (typeof profiles)[number];

/** What a copy keeps of its pod; all else would have it found by Services, restarted by probes, and held up. */
export interface Kept {
  readonly keepLabels: boolean;
  readonly keepAnnotations: boolean;
  readonly keepLiveness: boolean;
  readonly keepReadiness: boolean;
  readonly keepStartup: boolean;
  readonly keepInitContainers: boolean;
}

/** @throws Failure */
export function profileOf(text: string): Profile {
  const profile = profiles.find((each) => each === text);
  if (!profile) throw new Failure(`unknown profile: ${text}`);
  return profile;
}

type Change = (container: Container) => Container;

/** The container as a profile wants it. */
export function profiledContainer(container: Container, profile: Profile, style: DebugStyle): Container {
  return (containerChanges[profile](style) ?? ((same) => same))(container);
}

const containerChanges: Readonly<Record<Profile, (style: DebugStyle) => Change | undefined>> = {
  legacy: () => undefined,
  general: (style) => (style === 'node' ? undefined : withCapabilities(['SYS_PTRACE'])),
  baseline: () => withoutSecurityContext,
  netadmin: () => withCapabilities(['NET_ADMIN', 'NET_RAW']),
  restricted: () => (container) => ({ ...container, securityContext: restricted }),
  sysadmin: () => (container) => ({
    ...container,
    securityContext: { ...container.securityContext, privileged: true },
  }),
};

const restricted: SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

function withCapabilities(names: readonly string[]): Change {
  return (container) => {
    const { securityContext } = container;
    const { capabilities } = securityContext ?? {};
    const add = [...(capabilities?.add ?? []), ...names];
    return { ...container, securityContext: { ...securityContext, capabilities: { ...capabilities, add } } };
  };
}

function withoutSecurityContext(whole: Container): Container {
  const { securityContext: _, ...container } = whole;
  return container;
}

/** A pod of a node as a profile wants it: in the host's namespaces, and with the host's files below /host. */
export function profiledNodePod(pod: Pod, profile: Profile): Pod {
  const isInHost = profile !== 'baseline' && profile !== 'restricted';
  const seesFiles = isInHost && profile !== 'netadmin';
  const { spec } = pod;
  const mount = { mountPath: '/host', name: 'host-root' };
  return {
    ...pod,
    spec: {
      ...spec,
      ...(isInHost ? { hostIPC: true, hostNetwork: true, hostPID: true } : {}),
      ...(seesFiles
        ? {
            containers: spec.containers.map((container) => ({ ...container, volumeMounts: [mount] })),
            volumes: [{ hostPath: { path: '/' }, name: 'host-root' }],
          }
        : {}),
    },
  };
}

/** A copy of a pod as a profile wants it. */
export function profiledCopy(pod: Pod, profile: Profile, kept: Kept): Pod {
  const { labels, annotations, ...metadata } = pod.metadata;
  if (profile === 'legacy') return { ...pod, metadata: { ...metadata, ...(annotations ? { annotations } : {}) } };
  const { initContainers, ...spec } = pod.spec;
  return {
    ...pod,
    metadata: {
      ...metadata,
      ...(kept.keepLabels && labels ? { labels } : {}),
      ...(kept.keepAnnotations && annotations ? { annotations } : {}),
    },
    spec: {
      ...spec,
      containers: spec.containers.map((container) => withKeptProbes(container, kept)),
      ...(kept.keepInitContainers && initContainers ? { initContainers } : {}),
      shareProcessNamespace: spec.shareProcessNamespace ?? true,
    },
  };
}

function withKeptProbes(whole: Container, { keepLiveness, keepReadiness, keepStartup }: Kept): Container {
  const { livenessProbe, readinessProbe, startupProbe, ...container } = whole;
  return {
    ...container,
    ...(keepLiveness && livenessProbe ? { livenessProbe } : {}),
    ...(keepReadiness && readinessProbe ? { readinessProbe } : {}),
    ...(keepStartup && startupProbe ? { startupProbe } : {}),
  };
}
