import type {
  Node,
  ObjectMeta,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  PodStatus,
  StorageClass,
  Taint,
  Volume,
} from '../../shared/api/generated/types.js';
import { Store } from '../../shared/cache/store.js';
import { VolumeCatalog } from '../volume-catalog.js';

interface NodeGiven {
  cpu?: string;
  memory?: string;
  pods?: string;
  labels?: Record<string, string>;
  taints?: Taint[];
  unschedulable?: boolean;
  link?: string;
  more?: Record<string, string>;
  /** Sizes in MB of images by name. */
  images?: Record<string, number>;
}

const filled = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

/** A Ready node for tests. */
export function node(name: string, given: NodeGiven = {}): Node {
  const {
    cpu = '4',
    memory = '8Gi',
    pods = '110',
    labels = {},
    taints,
    unschedulable,
    link,
    more = {},
    images = {},
  } = given;
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
    status: {
      allocatable: resources,
      capacity: resources,
      images: Object.entries(images).map(([image, size]) => ({ names: [image], sizeBytes: size * 1024 * 1024 })),
    },
  };
}

interface PodGiven extends Partial<PodSpec> {
  namespace?: string;
  labels?: Record<string, string>;
  owner?: string;
  requests?: Record<string, string>;
  hostPort?: number;
  status?: PodStatus;
  deletionTimestamp?: string;
}

/** A pod for tests with one container. */
export function pod(name: string, given: PodGiven = {}): Pod {
  const {
    namespace = 'default',
    labels = {},
    owner,
    requests = {},
    hostPort,
    status,
    deletionTimestamp,
    ...spec
  } = given;
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
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
    },
    ...(status ? { status } : {}),
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests }, ...ports }], ...spec },
  };
}

/** Claims, volumes and classes for tests; may be changed while a catalog reads them. */
export class VolumeObjects {
  readonly claims = new Store<PersistentVolumeClaim>();
  readonly volumes = new Store<PersistentVolume>();
  readonly classes = new Store<StorageClass>();
  readonly catalog = new VolumeCatalog(this);

  claim(name: string, spec: Partial<PersistentVolumeClaim['spec']> = {}, more: Partial<ObjectMeta> = {}): void {
    const metadata = { ...filled, name, namespace: 'default', uid: `claim-${name}`, ...more };
    const isBound = spec.volumeName !== undefined;
    const annotations: Record<string, string> = isBound ? { 'pv.kubernetes.io/bind-completed': 'yes' } : {};
    this.claims.set({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { ...metadata, annotations: { ...annotations, ...more.annotations } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
    });
  }

  /** Usable on the node of that name alone, if one is given. */
  volume(name: string, given: { node?: string; size?: string; labels?: Record<string, string> } = {}): void {
    const { node: on, size = '1Gi', labels = {} } = given;
    const expressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: [on ?? ''] }];
    this.volumes.set({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { ...filled, name, labels },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: size },
        storageClassName: 'local',
        ...(on ? { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: expressions }] } } } : {}),
      },
      status: { phase: 'Available' },
    });
  }

  /** Volumes of the class are chosen when a pod comes. */
  delayedClass(name: string, more: Partial<StorageClass> = {}): void {
    const provisioner = 'kubernetes.io/no-provisioner';
    const type = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', volumeBindingMode: 'WaitForFirstConsumer' };
    this.classes.set({ ...type, metadata: { ...filled, name }, provisioner, ...more });
  }
}

/** A volume of a pod that stands for a claim. */
export const claimVolume = (claimName: string): Volume => ({ name: claimName, persistentVolumeClaim: { claimName } });
