import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure } from './failure.js';
import type { ClusterFiles } from './state.js';

/** Flags of the API server that `up` passes on as they are; values by name without the dashes. */
export type ApiserverFlags = Readonly<Record<string, string | readonly string[]>>;

interface PassedFlag {
  readonly name: string;
  readonly argument: string;
  readonly description: string;
  readonly isFile?: boolean;
  readonly isRepeated?: boolean;
}

const file = (name: string, description: string): PassedFlag => ({ name, argument: 'file', description, isFile: true });
const flag = (name: string, argument: string, description: string): PassedFlag => ({ name, argument, description });

/** Single sign-on, other services that know users and rights, admission, and what is written down of requests. */
export const passedFlags: readonly PassedFlag[] = [
  flag('oidc-issuer-url', 'url', 'OpenID provider whose users may come in'),
  flag('oidc-client-id', 'id', 'for whom its tokens must be issued'),
  flag('oidc-username-claim', 'claim', "the user's name in a token (default: sub)"),
  flag('oidc-username-prefix', 'prefix', 'put before it; - for nothing'),
  flag('oidc-groups-claim', 'claim', "the user's groups in a token"),
  flag('oidc-groups-prefix', 'prefix', 'put before each of them'),
  { ...flag('oidc-required-claim', 'key=value', 'a claim that a token must have; may be repeated'), isRepeated: true },
  file('oidc-ca-file', "authority of the provider's certificate"),
  flag('oidc-signing-algs', 'names', 'algorithms of signatures that count (default: RS256)'),
  file('authentication-config', 'issuers of tokens, and where the anonymous may come, instead of the flags above'),
  file('authentication-token-webhook-config-file', 'kubeconfig of a service that knows tokens'),
  file('authorization-config', 'who is asked about rights, in order, instead of the two flags below'),
  flag('authorization-mode', 'modes', 'the same by names (default: Node,RBAC)'),
  file('authorization-webhook-config-file', 'kubeconfig of a service that knows rights'),
  file('token-auth-file', 'CSV of tokens that never expire'),
  flag('anonymous-auth', 'bool', 'whether who shows nothing may ask at all (default: true)'),
  file('admission-control-config-file', 'what the admission plugins are told'),
  file('audit-policy-file', 'which requests are written down, instead of the default policy'),
  file('audit-webhook-config-file', 'kubeconfig of a service that is sent what is written down'),
  flag('event-ttl', 'duration', 'how long events are kept (default: 1h)'),
  flag('tls-min-version', 'version', 'VersionTLS12 or VersionTLS13 (default: VersionTLS12)'),
  flag('cors-allowed-origins', 'patterns', 'for the origins of pages that may read answers'),
];

/** The value of each passed flag under the name that commander gives it, e.g. `oidcIssuerUrl`. */
export function readPassedFlags(options: Readonly<Record<string, unknown>>): ApiserverFlags {
  const read: Record<string, string | readonly string[]> = {};
  for (const { name, isFile, isRepeated } of passedFlags) {
    const value = options[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    if (isRepeated && Array.isArray(value) && value.length > 0) read[name] = value as string[];
    if (typeof value !== 'string') continue;
    if (isFile && !existsSync(value)) throw new Failure(`--${name} ${value}: no such file`);
    read[name] = isFile ? resolve(value) : value;
  }
  return read;
}

/** Where the cluster's own policy and log of requests are. */
export const auditFiles = ({ root, logs }: ClusterFiles): { policy: string; log: string } => ({
  policy: join(root, 'audit-policy.json'),
  log: join(logs, 'audit.log'),
});

/** Writes the policy that is used unless somebody chose another; one that is there may have been changed and stays. */
export function ensureAuditPolicy(files: ClusterFiles): void {
  const { policy } = auditFiles(files);
  mkdirSync(files.logs, { recursive: true, mode: 0o700 });
  if (!existsSync(policy))
    writeFileSync(policy, `${JSON.stringify(defaultAuditPolicy, undefined, 2)}\n`, { mode: 0o600 });
}

const reads = ['get', 'list', 'watch'];
const core = (...resources: string[]): object => ({ group: '', resources });

/** All writes, all that opens a way into a container, and whoever reads Secrets; not the cluster's own heartbeat. */
export const defaultAuditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'None',
      nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version*', '/metrics*', '/openapi*', '/api*'],
    },
    {
      level: 'None',
      resources: [
        core('events', '*/status', 'endpoints'),
        { group: 'events.k8s.io' },
        { group: 'coordination.k8s.io', resources: ['leases'] },
        { group: 'discovery.k8s.io' },
        { group: 'apps', resources: ['*/status'] },
        { group: 'authorization.k8s.io' },
      ],
    },
    { level: 'None', userGroups: ['system:nodes', 'system:serviceaccounts:kube-system'], verbs: reads },
    { level: 'None', users: ['system:kube-controller-manager', 'system:kube-scheduler'], verbs: reads },
    {
      level: 'Metadata',
      resources: [
        core('secrets', 'configmaps', 'serviceaccounts/token'),
        core('pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy', 'nodes/proxy'),
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
      ],
    },
    { level: 'None', verbs: reads },
    { level: 'Metadata' },
  ],
};
