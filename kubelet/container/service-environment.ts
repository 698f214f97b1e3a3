import type { Service } from '../../shared/api/generated/types.js';

/**
 * Variables that name the Services of the pod's namespace (docker links' format), and always those of
 * default/kubernetes. A Service of the namespace wins over the master Service of the same name.
 */
export function serviceEnvironment(
  services: readonly Service[],
  namespace: string,
  enableServiceLinks: boolean,
): Map<string, string> {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const { name } = service.metadata;
    if (!hasClusterIP(service)) continue;
    if (service.metadata.namespace === namespace && enableServiceLinks) chosen.set(name, service);
    else if (isMaster(service) && !chosen.has(name)) chosen.set(name, service);
  }
  const variables = new Map<string, string>();
  for (const name of [...chosen.keys()].sort()) {
    const service = chosen.get(name);
    if (service) addService(variables, name, service);
  }
  return variables;
}

const isMaster = (service: Service): boolean =>
  service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes';

function hasClusterIP(service: Service): boolean {
  const ip = service.spec?.clusterIP;
  return ip !== undefined && ip !== '' && ip !== 'None' && (service.spec?.ports ?? []).length > 0;
}

function addService(variables: Map<string, string>, name: string, service: Service): void {
  const prefix = variableName(name);
  const ip = service.spec?.clusterIP ?? '';
  const host = ip.includes(':') ? `[${ip}]` : ip;
  const ports = service.spec?.ports ?? [];
  variables.set(`${prefix}_SERVICE_HOST`, ip);
  variables.set(`${prefix}_SERVICE_PORT`, String(ports[0]?.port ?? ''));
  for (const port of ports) {
    if (port.name) variables.set(`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
  }
  for (const [index, port] of ports.entries()) {
    const protocol = port.protocol ?? 'TCP';
    const url = `${protocol.toLowerCase()}://${host}:${port.port}`;
    const portPrefix = `${prefix}_PORT_${port.port}_${protocol}`;
    if (index === 0) variables.set(`${prefix}_PORT`, url);
    variables.set(portPrefix, url);
    variables.set(`${portPrefix}_PROTO`, protocol.toLowerCase());
    variables.set(`${portPrefix}_PORT`, String(port.port));
    variables.set(`${portPrefix}_ADDR`, ip);
  }
}

const variableName = (name: string): string => name.toUpperCase().replaceAll('-', '_');
