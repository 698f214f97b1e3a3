import type {
  FlowcontrolV1Subject,
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
} from '../../shared/api/generated/types.js';

/** Kept as they are here for as long as nobody sets it to `false`. */
export const ANNOTATION_AUTO_UPDATE = 'apf.kubernetes.io/autoupdate-spec';

/** Names of users and groups of the system. */
const MASTERS = 'system:masters';
const NODES = 'system:nodes';
const CONTROLLER_MANAGER = 'system:kube-controller-manager';
const SCHEDULER = 'system:kube-scheduler';
const EVERYBODY = ['system:unauthenticated', 'system:authenticated'];

const groups = (...names: readonly string[]): FlowcontrolV1Subject[] =>
  names.map((name) => ({ kind: 'Group', group: { name } }));
const users = (...names: readonly string[]): FlowcontrolV1Subject[] =>
  names.map((name) => ({ kind: 'User', user: { name } }));
const systemAccounts = (...names: readonly string[]): FlowcontrolV1Subject[] =>
  names.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { name, namespace: 'kube-system' } }));

const rule = (
  verbs: string[],
  apiGroup: string,
  resources: string[],
  namespaces: string[],
  clusterScope = false,
): ResourcePolicyRule => ({
  verbs,
  apiGroups: [apiGroup],
  resources,
  ...(clusterScope ? { clusterScope } : {}),
  namespaces,
});
const leases = rule(['get', 'create', 'update'], 'coordination.k8s.io', ['leases'], ['*']);

/** Whatever these subjects ask for. */
const everything = (subjects: FlowcontrolV1Subject[]): PolicyRulesWithSubjects => ({
  subjects,
  resourceRules: [rule(['*'], '*', ['*'], ['*'], true)],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
});

type Distinguisher = 'ByUser' | 'ByNamespace' | undefined;
const schema = (
  level: string,
  matchingPrecedence: number,
  distinguisher: Distinguisher,
  rules: PolicyRulesWithSubjects,
): FlowSchemaSpec => ({
  priorityLevelConfiguration: { name: level },
  matchingPrecedence,
  ...(distinguisher ? { distinguisherMethod: { type: distinguisher } } : {}),
  rules: [rules],
});

/** A priority level with queues. */
const queued = (
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queues: number,
  handSize: number,
): PriorityLevelConfigurationSpec => ({
  type: 'Limited',
  limited: {
    nominalConcurrencyShares,
    lendablePercent,
    limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
  },
});

/** Without these no request could be classified: they cannot be changed, and come back when they are deleted. */
export const MANDATORY_PRIORITY_LEVELS: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  exempt: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  'catch-all': {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
  },
};

export const MANDATORY_FLOW_SCHEMAS: Readonly<Record<string, FlowSchemaSpec>> = {
  exempt: schema('exempt', 1, undefined, everything(groups(MASTERS))),
  'catch-all': schema('catch-all', 10_000, 'ByUser', everything(groups(...EVERYBODY))),
};

/** What a cluster starts with; its operators may change or delete them. */
export const SUGGESTED_PRIORITY_LEVELS: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  system: queued(30, 33, 64, 6),
  'node-high': queued(40, 25, 64, 6),
  'leader-election': queued(10, 0, 16, 4),
  'workload-high': queued(40, 50, 128, 6),
  'workload-low': queued(100, 90, 128, 6),
  'global-default': queued(20, 50, 128, 6),
};

export const SUGGESTED_FLOW_SCHEMAS: Readonly<Record<string, FlowSchemaSpec>> = {
  'system-nodes': schema('system', 500, 'ByUser', everything(groups(NODES))),
  'system-node-high': schema('node-high', 400, 'ByUser', {
    subjects: groups(NODES),
    resourceRules: [
      rule(['*'], '', ['nodes', 'nodes/status'], ['*'], true),
      rule(['*'], 'coordination.k8s.io', ['leases'], ['*']),
    ],
  }),
  probes: schema('exempt', 2, undefined, {
    subjects: groups(...EVERYBODY),
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  'system-leader-election': schema('leader-election', 100, 'ByUser', {
    subjects: users(CONTROLLER_MANAGER, SCHEDULER),
    resourceRules: [leases],
  }),
  'endpoint-controller': schema('workload-high', 150, 'ByUser', {
    subjects: [
      ...users(CONTROLLER_MANAGER),
      ...systemAccounts('endpoint-controller', 'endpointslicemirroring-controller'),
    ],
    resourceRules: [rule(['get', 'create', 'update'], '', ['endpoints'], ['*'])],
  }),
  'workload-leader-election': schema('leader-election', 200, 'ByUser', {
    subjects: systemAccounts('*'),
    resourceRules: [leases],
  }),
  'kube-controller-manager': schema('workload-high', 800, 'ByNamespace', everything(users(CONTROLLER_MANAGER))),
  'kube-scheduler': schema('workload-high', 800, 'ByNamespace', everything(users(SCHEDULER))),
  'kube-system-service-accounts': schema('workload-high', 900, 'ByNamespace', everything(systemAccounts('*'))),
  'service-accounts': schema('workload-low', 9000, 'ByUser', everything(groups('system:serviceaccounts'))),
  'global-default': schema('global-default', 9900, 'ByUser', everything(groups(...EVERYBODY))),
};
