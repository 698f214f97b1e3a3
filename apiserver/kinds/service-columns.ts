import type { LoadBalancerStatus, Service, ServicePort } from '../../shared/api/generated/types.js';
import type { Column } from '../registry/definition.js';
import { ageColumn, column, nameColumn, orNone, wideColumn } from './column.js';

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn(),
  column('Type', ({ spec }) => spec?.type ?? '', { description: 'How the Service is exposed.' }),
  column('Cluster-IP', ({ spec }) => orNone(spec?.clusterIPs?.[0] ?? spec?.clusterIP), {
    description: 'The IP address of the service, usually assigned randomly.',
  }),
  column('External-IP', externalIp, { description: 'Addresses at which the service is reached from outside.' }),
  column('Port(s)', ({ spec }) => orNone((spec?.ports ?? []).map(portText).join(',')), {
    description: 'The list of ports that are exposed by this service.',
  }),
  ageColumn(),
  wideColumn('Selector', ({ spec }) => orNone(labelsText(spec?.selector)), {
    description: 'Route service traffic to pods with label keys and values matching this selector.',
  }),
];

function externalIp({ spec, status }: Service): string {
  const external = (spec?.externalIPs ?? []).join(',');
  if (spec?.type === 'ExternalName') return spec.externalName ?? '';
  if (spec?.type !== 'LoadBalancer') return orNone(external);
  const balancer = balancerText(status?.loadBalancer);
  return [balancer, external].filter((text) => text !== '').join(',') || '<pending>';
}

function balancerText(balancer: LoadBalancerStatus | undefined): string {
  const addresses = (balancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
  return [...new Set(addresses)]
    .filter((text) => text !== '')
    .sort()
    .join(',');
}

function portText({ port, nodePort, protocol }: ServicePort): string {
  return `${nodePort ? `${port}:${nodePort}` : port}/${protocol ?? 'TCP'}`;
}

function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}
