import type { Pod, Secret } from '../../shared/api/generated/types.js';
import type { ConfigSource } from '../container/environment.js';
import { parseImageReference } from '../runtime/image-reference.js';

export interface PullCredential {
  readonly username: string;
  readonly password: string;
  readonly server: string;
}
interface RegistryAuth {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
}

/** What the pod's imagePullSecrets say about the image's registry. Secrets that are missing or malformed do not count. */
export async function pullCredentials(pod: Pod, image: string, source: ConfigSource): Promise<PullCredential[]> {
  const { domain, path } = parseImageReference(image);
  const found: PullCredential[] = [];
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    if (!name) continue;
    const secret = await source.secret(pod.metadata.namespace ?? '', name);
    for (const [server, auth] of Object.entries(secret ? registriesOf(secret) : {})) {
      if (!matches(server, domain, path)) continue;
      const credential = credentialOf(auth, server);
      if (credential) found.push(credential);
    }
  }
  return found;
}

/** Names of the pod's imagePullSecrets that are not there. */
export async function missingPullSecrets(pod: Pod, source: ConfigSource): Promise<string[]> {
  const missing: string[] = [];
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    if (name && !(await source.secret(pod.metadata.namespace ?? '', name))) missing.push(name);
  }
  return missing;
}

function registriesOf(secret: Secret): Readonly<Record<string, RegistryAuth>> {
  const modern = secret.data?.['.dockerconfigjson'];
  const legacy = secret.data?.['.dockercfg'];
  try {
    const parsed: unknown = JSON.parse(Buffer.from(modern ?? legacy ?? '', 'base64').toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null) return {};
    const auths: unknown = modern ? (parsed as { auths?: unknown }).auths : parsed;
    return (typeof auths === 'object' && auths !== null ? auths : {}) as Record<string, RegistryAuth>;
  } catch {
    // Of the content nothing may be told; the pull fails with the registry's own words.
    return {};
  }
}

function matches(server: string, domain: string, path: string): boolean {
  const [host = '', ...rest] = server.replace(/^https?:\/\//, '').split('/');
  const isHub = domain === 'docker.io' && /^(index\.)?docker\.io$/.test(host);
  const prefix = rest
    .join('/')
    .replace(/^v[12]\/?$/, '')
    .replace(/\/$/, '');
  return (isHub || host === domain) && (prefix === '' || path === prefix || path.startsWith(`${prefix}/`));
}

function credentialOf(auth: RegistryAuth, server: string): PullCredential | undefined {
  const { username, password } = auth;
  if (username !== undefined && password !== undefined) return { username, password, server };
  const decoded = Buffer.from(auth.auth ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1), server };
}
