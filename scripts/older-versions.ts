/**
 * The structure of older versions that documents in the wild still use. The models know only what Kubernetes 1.36 serves;
 * a type that they lack is derived from its successor: the types of a family are copied under the package of the older version, and
 * `changes` tell where they differ. References inside a family stay inside it.
 */
export interface OlderFamily {
  /** Packages of definitions: `io.k8s.api.networking.v1`. */
  readonly from: string;
  readonly to: string;
  /** Kinds that are served under the older version, by plural name; their types and lists are copied. */
  readonly kinds: Readonly<Record<string, { readonly kind: string; readonly namespaced: boolean }>>;
  readonly group: string;
  readonly version: string;
  /** By type name. */
  readonly changes: Readonly<Record<string, OlderType>>;
}

export interface OlderType {
  /** Name in the newer version -> name in the older one. */
  readonly renamed?: Readonly<Record<string, string>>;
  readonly removed?: readonly string[];
  /** The newer version has no such type. */
  readonly isNew?: boolean;
  readonly added?: Readonly<Record<string, OlderField>>;
  /** Fields that need not be given. */
  readonly optional?: readonly string[];
}

/** `string`, `integer`, `quantity`, `int-or-string`, or the name of a type of the same family or another definition. */
export interface OlderField {
  readonly type: string;
  readonly description: string;
}

const namespaced = (kind: string): { kind: string; namespaced: boolean } => ({ kind, namespaced: true });
const clustered = (kind: string): { kind: string; namespaced: boolean } => ({ kind, namespaced: false });
const field = (type: string, description: string): OlderField => ({ type, description });

const ingressChanges: OlderFamily['changes'] = {
  IngressSpec: { renamed: { defaultBackend: 'backend' } },
  HTTPIngressPath: { optional: ['pathType'] },
  IngressBackend: {
    removed: ['service'],
    added: {
      serviceName: field('string', 'Specifies the name of the referenced service.'),
      servicePort: field('int-or-string', 'Specifies the port of the referenced service.'),
    },
  },
};

const deploymentChanges: OlderFamily['changes'] = {
  DeploymentSpec: {
    optional: ['selector'],
    added: {
      rollbackTo: field(
        'RollbackConfig',
        'DEPRECATED. The config this deployment is rolling back to. Will be cleared after rollback is done.',
      ),
    },
  },
  RollbackConfig: {
    isNew: true,
    added: { revision: field('integer', 'The revision to rollback to. If set to 0, rollback to the last revision.') },
  },
};

const target = 'io.k8s.api.autoscaling.v2.CrossVersionObjectReference';
const selector = field(
  'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
  'Selects the series of the metric by their labels.',
);
const metricName = field('string', 'metricName is the name of the metric in question.');
const utilization = field(
  'integer',
  'The average of the resource metric across all relevant pods, as a percentage of the requested value.',
);
const quantity = (description: string): OlderField => field('quantity', description);

/** autoscaling/v2beta1: each metric source has its names and targets side by side. */
const flatMetrics: OlderFamily['changes'] = {
  HorizontalPodAutoscalerSpec: { removed: ['behavior'] },
  ObjectMetricSource: {
    removed: ['describedObject', 'metric', 'target'],
    added: {
      target: field(target, 'target is the described Kubernetes object.'),
      metricName,
      targetValue: quantity('targetValue is the target value of the metric (as a quantity).'),
      selector,
      averageValue: quantity('averageValue is the target value of the average of the metric across all relevant pods.'),
    },
  },
  PodsMetricSource: {
    removed: ['metric', 'target'],
    added: { metricName, targetAverageValue: quantity('The target value of the average across all pods.'), selector },
  },
  ResourceMetricSource: {
    removed: ['target'],
    added: {
      targetAverageUtilization: utilization,
      targetAverageValue: quantity('The target value of the average across all pods.'),
    },
  },
  ContainerResourceMetricSource: {
    removed: ['target'],
    added: {
      targetAverageUtilization: utilization,
      targetAverageValue: quantity('The target value of the average across all pods.'),
    },
  },
  ExternalMetricSource: {
    removed: ['metric', 'target'],
    added: {
      metricName,
      metricSelector: selector,
      targetValue: quantity('targetValue is the target value of the metric (as a quantity).'),
      targetAverageValue: quantity('targetAverageValue is the target per-pod value of global metric.'),
    },
  },
  ObjectMetricStatus: {
    removed: ['describedObject', 'metric', 'current'],
    added: {
      target: field(target, 'target is the described Kubernetes object.'),
      metricName,
      currentValue: quantity('currentValue is the current value of the metric (as a quantity).'),
      selector,
      averageValue: quantity('averageValue is the current value of the average of the metric across all pods.'),
    },
  },
  PodsMetricStatus: {
    removed: ['metric', 'current'],
    added: { metricName, currentAverageValue: quantity('The current value of the average across all pods.'), selector },
  },
  ResourceMetricStatus: {
    removed: ['current'],
    added: {
      currentAverageUtilization: utilization,
      currentAverageValue: quantity('The current value of the average across all pods.'),
    },
  },
  ContainerResourceMetricStatus: {
    removed: ['current'],
    added: {
      currentAverageUtilization: utilization,
      currentAverageValue: quantity('The current value of the average across all pods.'),
    },
  },
  ExternalMetricStatus: {
    removed: ['metric', 'current'],
    added: {
      metricName,
      metricSelector: selector,
      currentValue: quantity('currentValue is the current value of the metric (as a quantity).'),
      currentAverageValue: quantity('currentAverageValue is the current value of metric averaged over pods.'),
    },
  },
};

/** What nominal shares were called. */
const assuredShares: OlderFamily['changes'] = {
  LimitedPriorityLevelConfiguration: { renamed: { nominalConcurrencyShares: 'assuredConcurrencyShares' } },
};

const olderFamilies: readonly OlderFamily[] = [
  {
    from: 'io.k8s.api.networking.v1',
    to: 'io.k8s.api.networking.v1beta1',
    group: 'networking.k8s.io',
    version: 'v1beta1',
    kinds: {
      ingresses: namespaced('Ingress'),
      ingressclasses: clustered('IngressClass'),
      ipaddresses: clustered('IPAddress'),
      servicecidrs: clustered('ServiceCIDR'),
    },
    changes: ingressChanges,
  },
  {
    from: 'io.k8s.api.networking.v1',
    to: 'io.k8s.api.extensions.v1beta1',
    group: 'extensions',
    version: 'v1beta1',
    kinds: { ingresses: namespaced('Ingress'), networkpolicies: namespaced('NetworkPolicy') },
    changes: ingressChanges,
  },
  {
    from: 'io.k8s.api.apps.v1',
    to: 'io.k8s.api.extensions.v1beta1',
    group: 'extensions',
    version: 'v1beta1',
    kinds: {
      deployments: namespaced('Deployment'),
      replicasets: namespaced('ReplicaSet'),
      daemonsets: namespaced('DaemonSet'),
    },
    changes: {
      ...deploymentChanges,
      ReplicaSetSpec: { optional: ['selector'] },
      DaemonSetSpec: {
        optional: ['selector'],
        added: {
          templateGeneration: field(
            'integer',
            'DEPRECATED. A sequence number representing a specific generation of the template, set by the server.',
          ),
        },
      },
    },
  },
  {
    from: 'io.k8s.api.apps.v1',
    to: 'io.k8s.api.apps.v1beta1',
    group: 'apps',
    version: 'v1beta1',
    kinds: {
      deployments: namespaced('Deployment'),
      statefulsets: namespaced('StatefulSet'),
      controllerrevisions: namespaced('ControllerRevision'),
    },
    changes: { ...deploymentChanges, StatefulSetSpec: { optional: ['selector'] } },
  },
  {
    from: 'io.k8s.api.apps.v1',
    to: 'io.k8s.api.apps.v1beta2',
    group: 'apps',
    version: 'v1beta2',
    kinds: {
      deployments: namespaced('Deployment'),
      replicasets: namespaced('ReplicaSet'),
      daemonsets: namespaced('DaemonSet'),
      statefulsets: namespaced('StatefulSet'),
      controllerrevisions: namespaced('ControllerRevision'),
    },
    changes: {},
  },
  {
    from: 'io.k8s.api.batch.v1',
    to: 'io.k8s.api.batch.v1beta1',
    group: 'batch',
    version: 'v1beta1',
    kinds: { cronjobs: namespaced('CronJob') },
    changes: {},
  },
  {
    from: 'io.k8s.api.policy.v1',
    to: 'io.k8s.api.policy.v1beta1',
    group: 'policy',
    version: 'v1beta1',
    kinds: { poddisruptionbudgets: namespaced('PodDisruptionBudget') },
    changes: {},
  },
  {
    from: 'io.k8s.api.autoscaling.v2',
    to: 'io.k8s.api.autoscaling.v2beta2',
    group: 'autoscaling',
    version: 'v2beta2',
    kinds: { horizontalpodautoscalers: namespaced('HorizontalPodAutoscaler') },
    changes: { HPAScalingRules: { removed: ['tolerance'] } },
  },
  {
    from: 'io.k8s.api.autoscaling.v2',
    to: 'io.k8s.api.autoscaling.v2beta1',
    group: 'autoscaling',
    version: 'v2beta1',
    kinds: { horizontalpodautoscalers: namespaced('HorizontalPodAutoscaler') },
    changes: flatMetrics,
  },
  {
    from: 'io.k8s.api.discovery.v1',
    to: 'io.k8s.api.discovery.v1beta1',
    group: 'discovery.k8s.io',
    version: 'v1beta1',
    kinds: { endpointslices: namespaced('EndpointSlice') },
    changes: {
      Endpoint: {
        removed: ['zone'],
        renamed: { deprecatedTopology: 'topology' },
      },
    },
  },
  {
    from: 'io.k8s.api.rbac.v1',
    to: 'io.k8s.api.rbac.v1beta1',
    group: 'rbac.authorization.k8s.io',
    version: 'v1beta1',
    kinds: {
      roles: namespaced('Role'),
      rolebindings: namespaced('RoleBinding'),
      clusterroles: clustered('ClusterRole'),
      clusterrolebindings: clustered('ClusterRoleBinding'),
    },
    changes: {},
  },
  {
    from: 'io.k8s.api.storage.v1',
    to: 'io.k8s.api.storage.v1beta1',
    group: 'storage.k8s.io',
    version: 'v1beta1',
    kinds: {
      storageclasses: clustered('StorageClass'),
      csidrivers: clustered('CSIDriver'),
      csinodes: clustered('CSINode'),
      volumeattachments: clustered('VolumeAttachment'),
      csistoragecapacities: namespaced('CSIStorageCapacity'),
      volumeattributesclasses: clustered('VolumeAttributesClass'),
    },
    changes: {},
  },
  {
    from: 'io.k8s.api.scheduling.v1',
    to: 'io.k8s.api.scheduling.v1beta1',
    group: 'scheduling.k8s.io',
    version: 'v1beta1',
    kinds: { priorityclasses: clustered('PriorityClass') },
    changes: {},
  },
  {
    from: 'io.k8s.api.coordination.v1',
    to: 'io.k8s.api.coordination.v1beta1',
    group: 'coordination.k8s.io',
    version: 'v1beta1',
    kinds: { leases: namespaced('Lease') },
    changes: {},
  },
  {
    from: 'io.k8s.api.node.v1',
    to: 'io.k8s.api.node.v1beta1',
    group: 'node.k8s.io',
    version: 'v1beta1',
    kinds: { runtimeclasses: clustered('RuntimeClass') },
    changes: {},
  },
  {
    from: 'io.k8s.api.certificates.v1',
    to: 'io.k8s.api.certificates.v1beta1',
    group: 'certificates.k8s.io',
    version: 'v1beta1',
    kinds: { certificatesigningrequests: clustered('CertificateSigningRequest') },
    changes: { CertificateSigningRequestCondition: { optional: ['status'] } },
  },
  {
    from: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
    to: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1',
    group: 'apiregistration.k8s.io',
    version: 'v1beta1',
    kinds: { apiservices: clustered('APIService') },
    changes: {},
  },
  {
    from: 'io.k8s.api.admissionregistration.v1',
    to: 'io.k8s.api.admissionregistration.v1beta1',
    group: 'admissionregistration.k8s.io',
    version: 'v1beta1',
    kinds: {
      validatingadmissionpolicies: clustered('ValidatingAdmissionPolicy'),
      validatingadmissionpolicybindings: clustered('ValidatingAdmissionPolicyBinding'),
      mutatingadmissionpolicies: clustered('MutatingAdmissionPolicy'),
      mutatingadmissionpolicybindings: clustered('MutatingAdmissionPolicyBinding'),
    },
    changes: {},
  },
  ...(['v1beta1', 'v1beta2', 'v1beta3'] as const).map((version) => ({
    from: 'io.k8s.api.flowcontrol.v1',
    to: `io.k8s.api.flowcontrol.${version}`,
    group: 'flowcontrol.apiserver.k8s.io',
    version,
    kinds: {
      flowschemas: clustered('FlowSchema'),
      prioritylevelconfigurations: clustered('PriorityLevelConfiguration'),
    },
    changes: version === 'v1beta3' ? {} : assuredShares,
  })),
  ...(['v1beta1', 'v1beta2'] as const).map((version) => ({
    from: 'io.k8s.api.resource.v1',
    to: `io.k8s.api.resource.${version}`,
    group: 'resource.k8s.io',
    version,
    kinds: {
      deviceclasses: clustered('DeviceClass'),
      resourceclaims: namespaced('ResourceClaim'),
      resourceclaimtemplates: namespaced('ResourceClaimTemplate'),
      resourceslices: clustered('ResourceSlice'),
    },
    changes: {},
  })),
];

type Schema = Record<string, unknown>;
type Descriptions = Record<string, Record<string, string>>;

/** Adds the definitions of all families to the tables. */
export function addOlderVersions(schemas: Record<string, Schema>, descriptions: Descriptions): void {
  const modelled = new Set(Object.keys(schemas));
  for (const family of olderFamilies) {
    const names = closure(family, schemas);
    for (const name of names) {
      const newer = `${family.from}.${name}`;
      const older = `${family.to}.${name}`;
      if (modelled.has(older)) continue;
      const change = family.changes[name] ?? {};
      const derived = deriveSchema(schemas[newer] ?? { type: 'object' }, change, family, names);
      schemas[older] = { ...derived, ...(change.isNew ? {} : { derivedFrom: newer }) };
      descriptions[older] = deriveDescriptions(descriptions[newer] ?? {}, change);
    }
  }
}

/** The types that the kinds of a family need, of its own package. */
function closure({ from, kinds, changes }: OlderFamily, schemas: Record<string, Schema>): ReadonlySet<string> {
  const found = new Set(Object.keys(changes).filter((name) => changes[name]?.isNew));
  const open = Object.values(kinds).flatMap(({ kind }) => [kind, `${kind}List`]);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name) || !schemas[`${from}.${name}`]) continue;
    found.add(name);
    const references = JSON.stringify(schemas[`${from}.${name}`]).matchAll(/"\$ref":"([^"]+)"/g);
    for (const [, reference = ''] of references)
      if (reference.slice(0, reference.lastIndexOf('.')) === from)
        open.push(reference.slice(reference.lastIndexOf('.') + 1));
  }
  return found;
}

function deriveSchema(schema: Schema, change: OlderType, family: OlderFamily, names: ReadonlySet<string>): Schema {
  const own = (value: string): string => {
    const name = value.slice(value.lastIndexOf('.') + 1);
    const isOwn = value === name || value === `${family.from}.${name}`;
    return isOwn && names.has(name) ? `${family.to}.${name}` : value;
  };
  const copy = JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? own(value) : value,
  ) as Schema & { properties?: Record<string, Schema>; required?: string[] };
  const properties = Object.entries(copy.properties ?? {}).flatMap(([name, property]): [string, Schema][] =>
    change.removed?.includes(name) ? [] : [[change.renamed?.[name] ?? name, property]],
  );
  for (const [name, { type }] of Object.entries(change.added ?? {})) properties.push([name, fieldSchema(own(type))]);
  const gone = new Set([...(change.removed ?? []), ...(change.optional ?? [])]);
  const required = (copy.required ?? []).filter((name) => !gone.has(name));
  const { required: _required, ...rest } = copy;
  return {
    ...rest,
    ...(required.length > 0 ? { required } : {}),
    ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
  };
}

function fieldSchema(type: string): Schema {
  switch (type) {
    case 'string':
      return { type };
    case 'integer':
      return { type, format: 'int32' };
    case 'quantity':
      return { $ref: 'io.k8s.apimachinery.pkg.api.resource.Quantity' };
    case 'int-or-string':
      return { $ref: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString' };
    default:
      return { $ref: type };
  }
}

function deriveDescriptions(texts: Record<string, string>, change: OlderType): Record<string, string> {
  const derived = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [change.renamed?.[name] ?? name, text] as const),
  );
  for (const name of change.removed ?? []) delete derived[name];
  for (const [name, { description }] of Object.entries(change.added ?? {})) derived[name] = description;
  return derived;
}

/** `export const olderResources` of generated/resources.ts: resources by `APIVERSION KIND`. */
export function olderResourceLines(): string[] {
  const entries = olderFamilies.flatMap(({ group, version, to, kinds }) =>
    Object.entries(kinds).map(
      ([resource, { kind, namespaced: isNamespaced }]) =>
        `  '${group}/${version} ${kind}': defineResource({ group: '${group}', version: '${version}', kind: '${kind}', resource: '${resource}', namespaced: ${isNamespaced}, definition: '${to}.${kind}' }),`,
    ),
  );
  return ['export const olderResources = {', ...entries, '} satisfies Record<string, Resource>;'];
}
