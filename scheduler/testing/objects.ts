import type { Node, Pod, PodSpec, Taint } from '../../shared/api/generated/types.js';

interface NodeGiven {
  cpu?: string;
  memory?: string;
  pods?: string;
  labels?: Record<string, string>;
  taints?: Taint[];
  unschedulable?: boolean;
  link?: string;
  more?: Record<string, string>;
}

const filled = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

/** A Ready node for tests. */
export function node(name: string, given: NodeGiven = {}): Node {
  const { cpu = '4', memory = '8Gi', pods = '110', labels = {}, taints, unschedulable, link, more = {} } = given;
  const resources = { cpu, memory, pods, ...more };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...filled,
      name,
      labels: { 'kubernetes.io/hostname': name, ...labels },
      ...(link ? { annotations: { 'knarr.dev/link-address': link } } : {}),
    },
    spec: { ...(taints ? { taints } : {}), ...(unschedulable ? { unschedulable } : {}) },
    status: { allocatable: resources, capacity: resources },
  };
}

interface PodGiven extends Partial<PodSpec> {
  namespace?: string;
  labels?: Record<string, string>;
  owner?: string;
  requests?: Record<string, string>;
  hostPort?: number;
}

/** A pod for tests with one container. */
export function pod(name: string, given: PodGiven = {}): Pod {
  const { namespace = 'default', labels = {}, owner, requests = {}, hostPort, ...spec } = given;
  const ports = hostPort === undefined ? {} : { ports: [{ containerPort: hostPort, hostPort, protocol: 'TCP' }] };
  const ownerReferences = owner
    ? [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }]
    : undefined;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...filled,
      name,
      namespace,
      labels,
      uid: `${namespace}-${name}`,
      ...(ownerReferences ? { ownerReferences } : {}),
    },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests }, ...ports }], ...spec },
  };
}
