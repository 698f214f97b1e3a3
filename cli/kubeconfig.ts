import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import {
  loadKubeconfig,
  resolveContext,
  type ClusterAccess,
  type Kubeconfig,
  type KubeconfigCluster,
  type KubeconfigUser,
} from '../shared/client/kubeconfig.js';
import { Failure } from './cluster/failure.js';
import type { GlobalFlags } from './flags.js';

/** What kubectl says of a kubeconfig that contradicts itself: without the usual `error: `. */
class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(what: string) {
    super(`Error in configuration: ${what}`);
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Files that make up the configuration, the most important first: --kubeconfig, else KUBECONFIG, else ~/.kube/config. */
export function kubeconfigFiles(flag: string | undefined, env: Environment): string[] {
  if (flag !== undefined && flag !== '') return [flag];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? [...new Set(listed)] : [join(env['HOME'] ?? homedir(), '.kube', 'config')];
}

/**
 * Reads and merges the files: the first that sets a value wins, and missing files are passed over, as kubectl does. Only a file named
 * by the flag must exist. Relative paths inside become absolute, each from the folder of its own file.
 */
export async function mergedKubeconfig(flag: string | undefined, env: Environment): Promise<Kubeconfig> {
  const files = kubeconfigFiles(flag, env);
  if (flag !== undefined && flag !== '' && !existsSync(flag))
    throw new Failure(`stat ${flag}: no such file or directory`);
  const found = await Promise.all(
    files.filter((file) => existsSync(file)).map(async (file) => withAbsolutePaths(await loadKubeconfig(file), file)),
  );
  const currentContext = found
    .map((config) => config['current-context'])
    .find((name) => name !== undefined && name !== '');
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': currentContext ?? '',
    clusters: firstOfEachName(found.flatMap((config) => config.clusters ?? [])),
    users: firstOfEachName(found.flatMap((config) => config.users ?? [])),
    contexts: firstOfEachName(found.flatMap((config) => config.contexts ?? [])),
  };
}

function firstOfEachName<T extends { name: string }>(entries: readonly T[]): T[] {
  const byName = new Map<string, T>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return [...byName.values()];
}

function withAbsolutePaths(config: Kubeconfig, file: string): Kubeconfig {
  const absolute = (path: string | undefined): string | undefined =>
    path === undefined || path === '' || isAbsolute(path) ? path : join(dirname(file), path);
  const fixed = <T extends KubeconfigCluster | KubeconfigUser>(entry: T, keys: readonly string[]): T => {
    const changes = keys
      .filter((key) => key in entry)
      .map((key) => [key, absolute((entry as Record<string, unknown>)[key] as string)]);
    return { ...entry, ...(Object.fromEntries(changes) as Partial<T>) };
  };
  return {
    ...config,
    clusters: (config.clusters ?? []).map((c) => ({ ...c, cluster: fixed(c.cluster, ['certificate-authority']) })),
    users: (config.users ?? []).map((u) => ({
      ...u,
      user: fixed(u.user ?? {}, ['client-certificate', 'client-key', 'tokenFile']),
    })),
  };
}

/** The cluster, identity and namespace that the flags and files select. */
export async function selectedAccess(flags: GlobalFlags, env: Environment): Promise<ClusterAccess> {
  const config = await mergedKubeconfig(flags.kubeconfig, env);
  const name = flags.context ?? config['current-context'] ?? '';
  const entry = config.contexts?.find((c) => c.name === name);
  if (!entry && flags.context) throw new ConfigurationError(`context was not found for specified context: ${name}`);
  if (!entry && name !== '') throw new Failure(`current-context "${name}" does not exist`);
  const context = {
    cluster: flags.cluster ?? entry?.context.cluster ?? '',
    // `create rolebinding --user` names subjects, and comes as a list.
    user: (typeof flags.user === 'string' ? flags.user : undefined) ?? entry?.context.user ?? '',
    ...(entry?.context.namespace ? { namespace: entry.context.namespace } : {}),
  };
  const cluster = config.clusters?.find((c) => c.name === context.cluster)?.cluster;
  if (!cluster && flags.server === undefined) {
    throw new Failure(
      name === ''
        ? 'no cluster is configured: start one with `knarr up`, or name a kubeconfig with --kubeconfig'
        : `cluster "${context.cluster}" does not exist`,
    );
  }
  const server = flags.server ?? cluster?.server ?? '';
  const chosen: Kubeconfig = {
    clusters: [{ name: 'chosen', cluster: { ...cluster, server, ...clusterOf(flags) } }],
    users: [userOf(flags, context.user, config)],
    contexts: [{ name: 'chosen', context: { ...context, cluster: 'chosen' } }],
  };
  const access = await resolveContext(chosen, 'kubeconfig', 'chosen');
  return flags.token === undefined ? access : { ...access, token: flags.token };
}

/** What flags say of the server; a path there is relative to where we are. */
function clusterOf(flags: GlobalFlags): Partial<KubeconfigCluster> {
  const { certificateAuthority: file, tlsServerName, insecureSkipTlsVerify } = flags;
  if (file && insecureSkipTlsVerify)
    throw new ConfigurationError('specifying a root certificates file with the insecure flag is not allowed');
  return {
    ...(file ? { 'certificate-authority': resolve(file), 'certificate-authority-data': '' } : {}),
    ...(tlsServerName ? { 'tls-server-name': tlsServerName } : {}),
    ...(insecureSkipTlsVerify === undefined ? {} : { 'insecure-skip-tls-verify': insecureSkipTlsVerify }),
  };
}

function userOf(
  { clientCertificate, clientKey }: GlobalFlags,
  name: string,
  { users = [] }: Kubeconfig,
): { name: string; user: KubeconfigUser } {
  const user = users.find((each) => each.name === name)?.user;
  return {
    name,
    user: {
      ...user,
      ...(clientCertificate ? { 'client-certificate': resolve(clientCertificate), 'client-certificate-data': '' } : {}),
      ...(clientKey ? { 'client-key': resolve(clientKey), 'client-key-data': '' } : {}),
    },
  };
}
