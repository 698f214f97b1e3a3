import type { Container, Pod, PodSpec, PodStatus } from '../../shared/api/generated/types.js';
import type { SandboxStatus } from '../runtime/container-runtime.js';
import { observePod, type ObservedContainer, type PodObservation } from '../pod/pod-observation.js';
import { containerHash, containerHashAnnotation } from '../pod/pod-spec.js';

/** A pod for tests of pure functions. */
export function podOf(spec: Partial<PodSpec> = {}, status: PodStatus = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'pod',
      namespace: 'default',
      uid: 'uid-1',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { containers: [containerOf('main')], ...spec },
    status,
  };
}

export const containerOf = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'app:1',
  ...more,
});

/** Writes containers as `name#attempt running`, `name#attempt exited CODE [ENDED_AT_MS]`, `name#attempt created`. */
export function observationOf(pod: Pod, sandboxes: string, ...containers: string[]): PodObservation {
  const identity = { namespace: 'default', name: 'pod', uid: 'uid-1' };
  const parsedSandboxes = sandboxes.split(' ').filter((text) => text !== '');
  return observePod(
    parsedSandboxes.map((text): SandboxStatus => {
      const [attempt = '0', state] = text.split(':');
      return {
        id: `sandbox-${attempt}`,
        pod: identity,
        attempt: Number(attempt),
        state: state === 'ready' ? 'ready' : 'notReady',
        createdAtMs: 0,
        ips: ['10.0.0.1'],
        annotations: {},
      };
    }),
    containers.map((text) => observedContainer(pod, text)),
  );
}

function observedContainer(pod: Pod, text: string): ObservedContainer {
  const match = /^(\S+?)#(\d+)(?:@(\d+))? (\w+)(?: (\d+))?(?: (\d+))?$/.exec(text);
  if (!match) throw new Error(`not a container: ${text}`);
  const [, name = '', attempt, sandbox = '0', state, code = '0', endedAtMs = '1000'] = match;
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])];
  const spec = all.find((container) => container.name === name) ?? containerOf(name);
  const common = {
    id: `${name}-${attempt}`,
    sandboxId: `sandbox-${sandbox}`,
    pod: { namespace: 'default', name: 'pod', uid: 'uid-1' },
    name,
    attempt: Number(attempt),
    image: 'app:1',
    imageId: 'sha256:abc',
    createdAtMs: 0,
    oomKilled: false,
    annotations: { [containerHashAnnotation]: containerHash(spec) },
  };
  if (state === 'exited') {
    return { ...common, state: 'exited', startedAtMs: 0, finishedAtMs: Number(endedAtMs), exitCode: Number(code) };
  }
  return state === 'running' ? { ...common, state: 'running', startedAtMs: 0 } : { ...common, state: 'created' };
}
