/** Names of labels, annotations, taints, finalizers and the like that Kubernetes gives a meaning. */

export const LABEL_HOSTNAME = 'kubernetes.io/hostname';
export const LABEL_OS = 'kubernetes.io/os';
export const LABEL_ARCH = 'kubernetes.io/arch';
export const LABEL_ZONE = 'topology.kubernetes.io/zone';
export const LABEL_NAMESPACE_NAME = 'kubernetes.io/metadata.name';
export const LABEL_NODE_ROLE_PREFIX = 'node-role.kubernetes.io/';
export const LABEL_NODE_ROLE = 'kubernetes.io/role';
export const LABEL_POD_TEMPLATE_HASH = 'pod-template-hash';
export const LABEL_SERVICE_NAME = 'kubernetes.io/service-name';
export const LABEL_ENDPOINTSLICE_MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
export const LABEL_HEADLESS = 'service.kubernetes.io/headless';

export const ANNOTATION_LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
export const ANNOTATION_RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
export const ANNOTATION_DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';
export const ANNOTATION_DEPLOYMENT_REVISION = 'deployment.kubernetes.io/revision';
export const ANNOTATION_REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const ANNOTATION_DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const ANNOTATION_MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
export const ANNOTATION_CHANGE_CAUSE = 'kubernetes.io/change-cause';
export const ANNOTATION_POD_DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
export const ANNOTATION_STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class';
export const ANNOTATION_DEFAULT_STORAGE_CLASS = 'storageclass.kubernetes.io/is-default-class';
export const ANNOTATION_DEFAULT_STORAGE_CLASS_BETA = 'storageclass.beta.kubernetes.io/is-default-class';
/** Claim and volume know of each other. */
export const ANNOTATION_BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
/** A controller chose the other side, and may undo it. */
export const ANNOTATION_BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
/** Node of a claim's first consumer: its volume is made for it. */
export const ANNOTATION_SELECTED_NODE = 'volume.kubernetes.io/selected-node';
export const ANNOTATION_ENDPOINTS_TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
export const ANNOTATION_ENDPOINTS_OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
/** The host's address as other hosts see it: next hop for the node's podCIDR. */
export const ANNOTATION_LINK_ADDRESS = 'knarr.dev/link-address';
/** Load balancer ports, as `tcp 80`, on which a process of the node's host listens: a JSON list, kept by kube-proxy. */
export const ANNOTATION_BUSY_PORTS = 'knarr.dev/busy-ports';

export const TAINT_NOT_READY = 'node.kubernetes.io/not-ready';
export const TAINT_UNREACHABLE = 'node.kubernetes.io/unreachable';
export const TAINT_UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
export const TAINT_MEMORY_PRESSURE = 'node.kubernetes.io/memory-pressure';
export const TAINT_DISK_PRESSURE = 'node.kubernetes.io/disk-pressure';
export const TAINT_PID_PRESSURE = 'node.kubernetes.io/pid-pressure';
export const TAINT_NETWORK_UNAVAILABLE = 'node.kubernetes.io/network-unavailable';

export const FINALIZER_ORPHAN = 'orphan';
export const FINALIZER_FOREGROUND = 'foregroundDeletion';
export const FINALIZER_KUBERNETES = 'kubernetes';

export const NAMESPACE_SYSTEM = 'kube-system';
export const NAMESPACE_PUBLIC = 'kube-public';
export const NAMESPACE_NODE_LEASE = 'kube-node-lease';
export const DEFAULT_SCHEDULER = 'default-scheduler';
export const ROOT_CA_CONFIG_MAP = 'kube-root-ca.crt';

export const SIGNER_KUBE_API_CLIENT = 'kubernetes.io/kube-apiserver-client';
export const SIGNER_KUBE_API_CLIENT_KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet';
export const SIGNER_KUBELET_SERVING = 'kubernetes.io/kubelet-serving';

export const PRIORITY_SYSTEM_CLUSTER_CRITICAL = 'system-cluster-critical';
export const PRIORITY_SYSTEM_NODE_CRITICAL = 'system-node-critical';
/** The largest priority that users may define; those above belong to the system. */
export const HIGHEST_USER_PRIORITY = 1_000_000_000;
export const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;
