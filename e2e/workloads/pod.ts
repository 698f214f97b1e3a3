import assert from 'node:assert/strict';
import type { Container, ContainerStatus, Pod, PodSpec } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import type { TestCluster } from '../lab/cluster.js';
import { toolbox } from '../lab/images.js';

export type FindCluster = () => TestCluster;

/** A container of the toolbox that runs a shell script. */
export function shell(name: string, script: string, rest: Partial<Container> = {}): Container {
  return { name, image: toolbox, command: ['sh', '-c', script], ...rest };
}

/** A shell script that ends at once on TERM; a plain sleep as process 1 would ignore it. */
export const idle = 'trap "exit 0" TERM; while :; do sleep 1000 & wait $!; done';

/** A pod's manifest with a short grace period. */
export function pod(name: string, spec: PodSpec, metadata: { labels?: Record<string, string> } = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { terminationGracePeriodSeconds: 1, ...spec },
  };
}

export async function create(cluster: TestCluster, ...objects: readonly object[]): Promise<void> {
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
}

/** Waits until a pod's status passes a check and resolves with the pod. */
export function podWhere(
  cluster: TestCluster,
  name: string,
  check: (pod: Pod) => void,
  timeoutMs = 60_000,
): Promise<Pod> {
  return eventually(
    async () => {
      const found = await cluster.get<Pod>('pod', name);
      try {
        check(found);
      } catch (error) {
        throw new Error(`${name}: ${String(error)}\n${JSON.stringify(found.status)}`, { cause: error });
      }
      return found;
    },
    timeoutMs,
    500,
  );
}

export function phaseIs(phase: string): (pod: Pod) => void {
  return (found) => assert.equal(found.status?.phase, phase);
}

export const isReady = (found: Pod): void =>
  assert.equal(found.status?.conditions?.find((c) => c.type === 'Ready')?.status, 'True');

/** Runs pods to their end and resolves with the log of one container. */
export async function logOf(cluster: TestCluster, name: string, container?: string): Promise<string> {
  await podWhere(cluster, name, phaseIs('Succeeded'));
  return cluster.kubectl(['logs', name, ...(container ? ['-c', container] : [])]);
}

/** The status of a pod's container, init containers included. */
export function statusOf(found: Pod, container?: string): ContainerStatus {
  const all = [...(found.status?.initContainerStatuses ?? []), ...(found.status?.containerStatuses ?? [])];
  const status = container ? all.find((s) => s.name === container) : all[0];
  assert.ok(status, `no status of container ${container ?? ''}`);
  return status;
}
