import type { ResourceDefinition } from '../../registry/definition.js';
import { ingressClassDefinition, ingressDefinition } from '../ingress.js';
import { networkPolicyDefinition } from '../networkpolicy.js';
import { member, members, olderVersion, rename, type Json, type VersionChange } from './served-version.js';

/** Before v1 a backend named its service and port side by side, and a path need not say how it matches. */
const ingressChange: VersionChange = {
  toStored: (ingress) => {
    const spec = member(ingress, 'spec');
    if (!spec) return;
    rename(spec, 'backend', 'defaultBackend');
    for (const path of pathsOf(spec)) path['pathType'] ??= 'ImplementationSpecific';
    for (const backend of backendsOf(spec)) nestService(backend);
  },
  fromStored: (ingress) => {
    const spec = member(ingress, 'spec');
    if (!spec) return;
    for (const backend of backendsOf(spec)) flattenService(backend);
    rename(spec, 'defaultBackend', 'backend');
  },
};

const pathsOf = (spec: Json): Json[] =>
  members(spec, 'rules').flatMap((rule) => members(member(rule, 'http'), 'paths'));

const backendsOf = (spec: Json): Json[] =>
  [member(spec, 'defaultBackend'), ...pathsOf(spec).map((path) => member(path, 'backend'))].filter(
    (backend) => backend !== undefined,
  );

function nestService(backend: Json): void {
  const { serviceName: name, servicePort: port } = backend;
  delete backend['serviceName'];
  delete backend['servicePort'];
  if (name === undefined && port === undefined) return;
  // A port of 0 or '' is none.
  const nested = typeof port === 'number' ? (port === 0 ? {} : { number: port }) : port ? { name: port } : {};
  backend['service'] = { name: name ?? '', port: nested };
}

function flattenService(backend: Json): void {
  const service = member(backend, 'service');
  if (!service) return;
  delete backend['service'];
  const port = member(service, 'port');
  backend['serviceName'] = service['name'];
  const flat = port?.['name'] ?? port?.['number'];
  if (flat !== undefined) backend['servicePort'] = flat;
}

const ingress = ingressDefinition as unknown as ResourceDefinition;

export const olderNetworkingVersions: readonly ResourceDefinition[] = [
  olderVersion(ingress, 'networking.k8s.io/v1beta1', { deprecated: '1.19', removed: '1.22' }, ingressChange),
  olderVersion(ingress, 'extensions/v1beta1', { deprecated: '1.14', removed: '1.22' }, ingressChange),
  olderVersion(ingressClassDefinition as unknown as ResourceDefinition, 'networking.k8s.io/v1beta1', {
    deprecated: '1.19',
    removed: '1.22',
  }),
  olderVersion(networkPolicyDefinition as unknown as ResourceDefinition, 'extensions/v1beta1', {
    deprecated: '1.9',
    removed: '1.16',
  }),
];
