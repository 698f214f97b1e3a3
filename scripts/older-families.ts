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
  /** Types of the newer package that the older version uses as they are. */
  readonly shared?: readonly string[];
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

/**
 * `string`, `integer` (32 bits), `long` (64 bits), `quantity`, `int-or-string`, or the name of a type of the same family
 * or another definition; with `[]` behind it a list of them.
 */
interface OlderField {
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
    added: { revision: field('long', 'The revision to rollback to. If set to 0, rollback to the last revision.') },
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

/** What a webhook had to say only from v1 on. */
const statedLater: OlderType = { optional: ['sideEffects', 'admissionReviewVersions'] };

const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Before v1 a definition had one schema, one set of columns and of subresources, which its versions might have of their own. */
const wholeDefinition: OlderFamily['changes'] = {
  CustomResourceDefinitionSpec: {
    optional: ['scope', 'versions'],
    added: {
      version: field(
        'string',
        'version is the API version of the defined custom resource. Optional if `versions` is specified. Deprecated: use `versions` instead.',
      ),
      validation: field(
        `${extensions}.CustomResourceValidation`,
        'validation describes the schema used for validation and pruning of the custom resource. Top-level and per-version schemas are mutually exclusive.',
      ),
      subresources: field(
        `${extensions}.CustomResourceSubresources`,
        'subresources specify what subresources the defined custom resource has. Top-level and per-version subresources are mutually exclusive.',
      ),
      additionalPrinterColumns: field(
        'CustomResourceColumnDefinition[]',
        'additionalPrinterColumns specifies additional columns returned in Table output. Top-level and per-version columns are mutually exclusive.',
      ),
    },
  },
  CustomResourceColumnDefinition: { renamed: { jsonPath: 'JSONPath' } },
  CustomResourceConversion: {
    removed: ['webhook'],
    added: {
      webhookClientConfig: field(
        `${extensions}.WebhookClientConfig`,
        'webhookClientConfig is the instructions for how to call the webhook if strategy is `Webhook`.',
      ),
      conversionReviewVersions: field(
        'string[]',
        'conversionReviewVersions is an ordered list of preferred `ConversionReview` versions the Webhook expects. Defaults to `["v1beta1"]`.',
      ),
    },
  },
};

export const olderFamilies: readonly OlderFamily[] = [
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
            'long',
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
    changes: {
      CertificateSigningRequestCondition: { optional: ['status'] },
      CertificateSigningRequestSpec: { optional: ['signerName'] },
    },
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
      mutatingwebhookconfigurations: clustered('MutatingWebhookConfiguration'),
      validatingwebhookconfigurations: clustered('ValidatingWebhookConfiguration'),
    },
    changes: { MutatingWebhook: statedLater, ValidatingWebhook: statedLater },
  },
  {
    from: extensions,
    to: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1',
    group: 'apiextensions.k8s.io',
    version: 'v1beta1',
    kinds: { customresourcedefinitions: clustered('CustomResourceDefinition') },
    changes: wholeDefinition,
    shared: [
      'CustomResourceDefinitionNames',
      'CustomResourceDefinitionStatus',
      'CustomResourceSubresources',
      'CustomResourceValidation',
      'SelectableField',
      'WebhookConversion',
    ],
  },
  {
    from: 'io.k8s.api.events.v1',
    to: 'io.k8s.api.events.v1beta1',
    group: 'events.k8s.io',
    version: 'v1beta1',
    kinds: { events: namespaced('Event') },
    changes: {},
  },
  {
    from: 'io.k8s.api.authentication.v1',
    to: 'io.k8s.api.authentication.v1beta1',
    group: 'authentication.k8s.io',
    version: 'v1beta1',
    kinds: { tokenreviews: clustered('TokenReview'), selfsubjectreviews: clustered('SelfSubjectReview') },
    changes: {},
  },
  {
    from: 'io.k8s.api.authorization.v1',
    to: 'io.k8s.api.authorization.v1beta1',
    group: 'authorization.k8s.io',
    version: 'v1beta1',
    kinds: {
      localsubjectaccessreviews: namespaced('LocalSubjectAccessReview'),
      selfsubjectaccessreviews: clustered('SelfSubjectAccessReview'),
      selfsubjectrulesreviews: clustered('SelfSubjectRulesReview'),
      subjectaccessreviews: clustered('SubjectAccessReview'),
    },
    changes: { SubjectAccessReviewSpec: { renamed: { groups: 'group' } } },
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
