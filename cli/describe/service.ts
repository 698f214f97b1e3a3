import type { EndpointSlice, Service, ServicePort } from '../../shared/api/generated/types.js';
import type { AnyMetadata } from '../server-api.js';
import { addHead, mapText } from './format.js';
import type { Lines } from './lines.js';

export function describeService(lines: Lines, service: Service, slices: readonly EndpointSlice[]): void {
  const { metadata, spec, status } = service;
  addHead(lines, metadata as unknown as AnyMetadata, { withNamespace: true });
  lines.add(0, 'Selector:', mapText(spec.selector));
  lines.add(0, 'Type:', spec.type ?? '');
  if (spec.ipFamilyPolicy) lines.add(0, 'IP Family Policy:', spec.ipFamilyPolicy);
  lines.add(0, 'IP Families:', spec.ipFamilies?.join(',') || '<none>');
  lines.add(0, 'IP:', spec.clusterIP ?? '');
  lines.add(0, 'IPs:', spec.clusterIPs?.join(',') || '<none>');
  if (spec.externalIPs?.length) lines.add(0, 'External IPs:', spec.externalIPs.join(','));
  if (spec.loadBalancerIP) lines.add(0, 'Desired LoadBalancer IP:', spec.loadBalancerIP);
  if (spec.externalName) lines.add(0, 'External Name:', spec.externalName);
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0) {
    const texts = ingress.map(({ ip, ipMode, hostname }) =>
      ip ? `${ip}${ipMode ? ` (${ipMode})` : ''}` : (hostname ?? ''),
    );
    lines.add(0, 'LoadBalancer Ingress:', texts.join(', '));
  }
  for (const port of spec.ports ?? []) describePort(lines, port, slices);
  lines.add(0, 'Session Affinity:', spec.sessionAffinity ?? '');
  if (spec.externalTrafficPolicy) lines.add(0, 'External Traffic Policy:', spec.externalTrafficPolicy);
  if (spec.internalTrafficPolicy) lines.add(0, 'Internal Traffic Policy:', spec.internalTrafficPolicy);
  if (spec.healthCheckNodePort) lines.add(0, 'HealthCheck NodePort:', String(spec.healthCheckNodePort));
  if (spec.loadBalancerSourceRanges?.length) {
    lines.add(0, 'LoadBalancer Source Ranges:', spec.loadBalancerSourceRanges.join(','));
  }
}

function describePort(lines: Lines, port: ServicePort, slices: readonly EndpointSlice[]): void {
  const { name = '<unset>', protocol = 'TCP' } = port;
  lines.add(0, 'Port:', name, `${port.port}/${protocol}`);
  lines.add(0, 'TargetPort:', `${port.targetPort ?? ''}/${protocol}`);
  if (port.nodePort) lines.add(0, 'NodePort:', name, `${port.nodePort}/${protocol}`);
  lines.add(0, 'Endpoints:', endpointsText(port.name, slices));
}

const maxShown = 3;

/** The first addresses behind a port; '' where no slice has the port, `<none>` where there is no slice. */
export function endpointsText(portName: string | undefined, slices: readonly EndpointSlice[]): string {
  const all = slices.flatMap(({ endpoints = [], ports = [] }) => {
    const port = ports.find((each) => (each.name ?? '') === (portName ?? ''));
    if (!port) return [];
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
    return ready.flatMap(({ addresses }) => addresses.map((address) => `${address}:${port.port ?? ''}`));
  });
  const hasPort = slices.some(({ ports = [] }) => ports.some((each) => (each.name ?? '') === (portName ?? '')));
  if (slices.length > 0 && !hasPort) return '';
  const text = all.slice(0, maxShown).join(',') || (slices.length > 0 ? '' : '<none>');
  return all.length > maxShown ? `${text} + ${all.length - maxShown} more...` : text;
}
