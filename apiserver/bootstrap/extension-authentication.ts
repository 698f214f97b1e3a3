import { configmaps } from '../../shared/api/generated/resources.js';
import type { ConfigMap } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { KeyPair } from '../../shared/pki/certificate.js';
import { requestHeaders } from '../aggregation/remote-user.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { equal } from '../validation/equality.js';
import { systemWrite } from './system-objects.js';

/** The certificate with which this server calls extension servers. */
export interface FrontProxy {
  readonly client: KeyPair;
  /** PEM of the authority that signed it, and signs nothing else. */
  readonly ca: string;
  /** Common names of the certificates that may speak for others. */
  readonly allowedNames: readonly string[];
}

const namespace = 'kube-system';
const name = 'extension-apiserver-authentication';

/** Publishes by what extension servers know clients, and this server when it speaks for them. */
export async function ensureExtensionAuthentication(
  registry: ResourceRegistry,
  clientCa: string,
  frontProxy: FrontProxy | undefined,
): Promise<void> {
  const served = registry.find(configmaps.group, configmaps.version, configmaps.resource);
  if (!served) return;
  const data = { 'client-ca-file': clientCa, ...(frontProxy ? requestHeaderData(frontProxy) : {}) };
  const found = served.store.find(namespace, name)?.object as unknown as ConfigMap | undefined;
  if (!found) {
    const { apiVersion, kind } = configmaps;
    const object = { apiVersion, kind, metadata: { name, namespace }, data };
    await served.store.create(namespace, object as unknown as KubernetesObject, systemWrite);
  } else if (!equal({ ...found.data, ...data }, found.data)) {
    await served.store.modify(namespace, name, systemWrite, { subresource: '' }, (current) => {
      const next = current as unknown as ConfigMap;
      next.data = { ...next.data, ...data };
      return current;
    });
  }
}

function requestHeaderData({ ca, allowedNames }: FrontProxy): Record<string, string> {
  const { username, uid, group, extraPrefix } = requestHeaders;
  return {
    'requestheader-client-ca-file': ca,
    'requestheader-username-headers': JSON.stringify([username]),
    'requestheader-uid-headers': JSON.stringify([uid]),
    'requestheader-group-headers': JSON.stringify([group]),
    'requestheader-extra-headers-prefix': JSON.stringify([extraPrefix]),
    'requestheader-allowed-names': JSON.stringify(allowedNames),
  };
}
