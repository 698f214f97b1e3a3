import { services } from '../../shared/api/generated/resources.js';
import type { Service, ServiceSpec } from '../../shared/api/generated/types.js';
import { isDns1035Label } from '../validation/names.js';
import { validateService, validateServiceStatus, validateServiceUpdate } from '../validation/service.js';
import { defineKind } from './kind.js';
import { serviceColumns } from './service-columns.js';

export const serviceDefinition = defineKind<Service>({
  resource: services,
  shortNames: ['svc'],
  categories: ['all'],
  subresources: ['status', 'proxy'],
  allowCreateOnUpdate: true,
  columns: serviceColumns,
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec?.clusterIP ?? '',
    'spec.type': ({ spec }) => spec?.type ?? '',
  },
  strategy: {
    validateName: isDns1035Label,
    defaults: setDefaults,
    validate: validateService,
    validateUpdate: validateServiceUpdate,
    validateStatusUpdate: validateServiceStatus,
    prepareForCreate: (service) => {
      service.status = { loadBalancer: {} };
      normalizeClusterIps(service.spec);
    },
    prepareForUpdate: (service, old) => {
      service.status = old.status;
      normalizeClusterIps(service.spec, old.spec);
      dropFieldsOfOldType(service.spec, old.spec);
      carryAllocated(service.spec, old.spec);
    },
    prepareForStatusUpdate: (service, old) => {
      service.spec = old.spec;
    },
  },
});

function setDefaults(service: Service): void {
  const spec = (service.spec ??= {});
  for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    const config = (spec.sessionAffinityConfig ??= {});
    config.clientIP ??= {};
    config.clientIP.timeoutSeconds ??= 10800;
  }
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    if (!port.targetPort) port.targetPort = port.port;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (spec.type === 'ExternalName') return;
  spec.internalTrafficPolicy ||= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  spec.ipFamilyPolicy ||= 'SingleStack';
  if (!spec.ipFamilies || spec.ipFamilies.length === 0) spec.ipFamilies = ['IPv4'];
}

/** Whether traffic from outside the cluster reaches it, so that externalTrafficPolicy means something. */
function isExternallyAccessible(spec: ServiceSpec): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true;
  return spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0;
}

/** Keeps clusterIP and clusterIPs in step: old clients know only the first. */
function normalizeClusterIps(spec: ServiceSpec | undefined, old?: ServiceSpec): void {
  if (!spec) return;
  if (old === undefined || old.clusterIP === undefined) {
    if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const isSingleChanged = (spec.clusterIP ?? '') !== (old.clusterIP ?? '');
  const areSame = JSON.stringify(spec.clusterIPs ?? []) === JSON.stringify(old.clusterIPs ?? []);
  if (isSingleChanged && areSame) {
    if (!spec.clusterIP) delete spec.clusterIPs;
    else spec.clusterIPs = [spec.clusterIP];
  }
}

/** What the server allocated is kept by a client that never knew it, as in `kubectl replace` of the original manifest. */
function carryAllocated(spec: ServiceSpec | undefined, old: ServiceSpec | undefined): void {
  if (!spec || !old || spec.type === 'ExternalName' || old.type === 'ExternalName') return;
  if (!spec.clusterIP && (spec.clusterIPs ?? []).length === 0) {
    if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if (old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
  }
  if (needsNodePort(spec) && needsNodePort(old)) carryNodePorts(spec, old);
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old))
    spec.healthCheckNodePort ||= old.healthCheckNodePort ?? 0;
}

function carryNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const key = (port: { port: number; protocol?: string }): string => `${port.protocol ?? 'TCP'}/${port.port}`;
  const held = new Map((old.ports ?? []).map((port) => [key(port), port.nodePort ?? 0]));
  const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) {
    const before = held.get(key(port));
    if (!port.nodePort && before && !used.has(before)) port.nodePort = before;
  }
}

/** Fields that only the old type has are cleared when the type changes and the client left them as they were. */
function dropFieldsOfOldType(spec: ServiceSpec | undefined, old: ServiceSpec | undefined): void {
  if (!spec || !old || spec.type === old.type) return;
  if (needsClusterIp(old) && !needsClusterIp(spec) && spec.clusterIP === old.clusterIP) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
  }
  if (needsNodePort(old) && !needsNodePort(spec) && areNodePortsSame(spec, old))
    for (const port of spec.ports ?? []) delete port.nodePort;
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort)
    delete spec.healthCheckNodePort;
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts;
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (
    isExternallyAccessible(old) &&
    !isExternallyAccessible(spec) &&
    spec.externalTrafficPolicy === old.externalTrafficPolicy
  )
    delete spec.externalTrafficPolicy;
  if (old.type !== 'ExternalName' && spec.type === 'ExternalName') delete spec.internalTrafficPolicy;
}

const needsClusterIp = ({ type }: ServiceSpec): boolean => type !== 'ExternalName';
const needsHealthCheckPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

function needsNodePort({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean {
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
}

function areNodePortsSame(spec: ServiceSpec, old: ServiceSpec): boolean {
  const before = new Set((old.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
  return (spec.ports ?? []).every(({ nodePort }) => before.has(nodePort ?? 0));
}
