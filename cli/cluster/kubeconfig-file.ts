import { chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Kubeconfig } from '../../shared/client/kubeconfig.js';
import { formatManifest } from '../../shared/manifest/format.js';
import { readManifests } from '../../shared/manifest/manifest.js';

/** Whose kubeconfig is written: under sudo that of the person who typed it. */
export interface Owner {
  readonly home: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** The person behind sudo, else the one who runs this. `passwd` is the text of /etc/passwd. */
export function kubeconfigOwner(env: NodeJS.ProcessEnv, passwd: string): Owner {
  const line =
    env['SUDO_USER'] && process.getuid?.() === 0
      ? passwd.split('\n').find((l) => l.startsWith(`${env['SUDO_USER']}:`))
      : undefined;
  const [, , uid, gid, , home] = line?.split(':') ?? [];
  return home ? { home, uid: Number(uid), gid: Number(gid) } : { home: homedir() };
}

/** First file of KUBECONFIG, else ~/.kube/config. */
export function kubeconfigPath(env: NodeJS.ProcessEnv, owner: Owner): string {
  const first = env['KUBECONFIG']?.split(':').find((p) => p !== '');
  return first ?? join(owner.home, '.kube', 'config');
}

/** Puts the entries of `added` (one cluster, user, context of one name) in, replacing those of the same names, and makes its context the current one. */
export function mergeKubeconfig(existing: Kubeconfig, added: Kubeconfig): Kubeconfig {
  const merge = <T extends { name: string }>(old: readonly T[] | undefined, fresh: readonly T[] | undefined): T[] => {
    const names = new Set((fresh ?? []).map((e) => e.name));
    return [...(old ?? []).filter((e) => !names.has(e.name)), ...(fresh ?? [])];
  };
  return {
    ...existing,
    apiVersion: 'v1',
    kind: 'Config',
    clusters: merge(existing.clusters, added.clusters),
    users: merge(existing.users, added.users),
    contexts: merge(existing.contexts, added.contexts),
    ...(added['current-context'] ? { 'current-context': added['current-context'] } : {}),
  };
}

/** Takes out one context with its cluster and user; the current context falls to none if it was this. */
export function withoutContext(existing: Kubeconfig, name: string): Kubeconfig {
  const context = existing.contexts?.find((c) => c.name === name)?.context;
  return {
    ...existing,
    clusters: (existing.clusters ?? []).filter((c) => c.name !== context?.cluster),
    users: (existing.users ?? []).filter((u) => u.name !== context?.user),
    contexts: (existing.contexts ?? []).filter((c) => c.name !== name),
    'current-context': existing['current-context'] === name ? '' : (existing['current-context'] ?? ''),
  };
}

/** Rewrites the kubeconfig; what was there before is kept beside it as `config.knarr-backup`. */
export function editKubeconfig(path: string, owner: Owner, edit: (config: Kubeconfig) => Kubeconfig): void {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const config = before.trim() === '' ? {} : ((readManifests(before, { file: path })[0]?.value ?? {}) as Kubeconfig);
  const after = formatManifest(edit(config));
  if (after === before) return;
  const folder = dirname(path);
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    own(folder, owner);
  }
  if (before !== '') {
    copyFileSync(path, `${path}.knarr-backup`);
    own(`${path}.knarr-backup`, owner);
  }
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, after, { mode: 0o600 });
  own(temporary, owner);
  renameSync(temporary, path);
}

function own(path: string, { uid, gid }: Owner): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}
