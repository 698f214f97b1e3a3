import { readFile } from 'node:fs/promises';
import { loadKubeconfig, userAccess, type UserAccess } from '../../../shared/client/kubeconfig.js';
import { fileToken, staticToken } from '../../../shared/client/token-source.js';
import type { Clock } from '../../../shared/clock/clock.js';
import type { KeyPair } from '../../../shared/pki/certificate.js';

/** What the server shows a webhook of itself. */
export interface Credentials {
  readonly client?: KeyPair;
  /** The header Authorization; absent where there is none. */
  readonly authorization?: () => Promise<string>;
}

/** By the webhook's `host:port`; undefined: the server shows nothing. */
export type CredentialsFor = (authority: string) => Credentials | undefined;

const noCredentials: CredentialsFor = () => undefined;

/**
 * Reads the kubeconfig of a WebhookAdmissionConfiguration, whose users are named as the hosts of webhooks:
 * `hook.ns.svc`, `*.example.com:8443`, `*` for all others. Throws an Error that names the file.
 */
export async function loadWebhookCredentials(path: string, clock: Clock): Promise<CredentialsFor> {
  if (path === '') return noCredentials;
  const config = await loadKubeconfig(path);
  const known = new Map<string, Credentials>();
  for (const { name, user } of config.users ?? []) known.set(name, credentialsOf(await userAccess(user, path), clock));
  const current = config.contexts?.find(({ name }) => name === config['current-context'])?.context.user;
  return (authority) => {
    const name = userFor(authority, (candidate) => known.has(candidate)) ?? current;
    return name === undefined ? undefined : known.get(name);
  };
}

/** Which user of the file speaks to a host: the one of its name, else of the nearest domain above, else `*`. */
export function userFor(authority: string, isKnown: (name: string) => boolean): string | undefined {
  const match = (target: string): string | undefined => {
    if (isKnown(target)) return target;
    const steps = target.split('.').slice(0, 64);
    for (let i = 1; i < steps.length; i++) {
      const wildcard = `*.${steps.slice(i).join('.')}`;
      if (isKnown(wildcard)) return wildcard;
    }
    return undefined;
  };
  const bare = authority.endsWith(':443') ? match(authority.slice(0, -':443'.length)) : undefined;
  return match(authority) ?? bare ?? (isKnown('*') ? '*' : undefined);
}

function credentialsOf({ cert, key, token, tokenFile, basic }: UserAccess, clock: Clock): Credentials {
  const client = cert && key ? { certificate: cert.toString('utf8'), key: key.toString('utf8') } : undefined;
  const source = token
    ? staticToken(token)
    : tokenFile
      ? fileToken(() => readFile(tokenFile, 'utf8'), clock)
      : undefined;
  const authorization = source
    ? async (): Promise<string> => `Bearer ${await source.token()}`
    : basic
      ? (): Promise<string> => Promise.resolve(`Basic ${Buffer.from(basic).toString('base64')}`)
      : undefined;
  return { ...(client ? { client } : {}), ...(authorization ? { authorization } : {}) };
}
