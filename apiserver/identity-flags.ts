import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Clock } from '../shared/clock/clock.js';
import type { Log } from '../shared/log/log.js';
import { readManifests } from '../shared/manifest/manifest.js';
import { TokenReviews } from '../shared/review/token-reviews.js';
import type { AuditTargets } from './audit/audit-backends.js';
import { AuditFile, AuditStream } from './audit/audit-file.js';
import type { AuditSink } from './audit/audit-log.js';
import { AuditWebhook } from './audit/audit-webhook.js';
import { readAuditPolicy } from './audit/policy.js';
import type { JwtConfiguration } from './authentication/authentication-configuration.js';
import type { TokenAuthenticator } from './authentication/authenticator.js';
import type { ConfiguredIssuers } from './authentication/configured-issuers.js';
import type { OidcOptions } from './authentication/oidc-authenticator.js';
import { usernamePrefix } from './authentication/oidc-claims.js';
import { TokenFile } from './authentication/token-file.js';
import { posterFromKubeconfig, reviewClientFromKubeconfig } from './authentication/review-client.js';
import type { ConfiguredAuthorizers } from './authorization/configured-authorizers.js';
import { loadAuthorizers } from './authorization/load-authorizers.js';
import type { ApiserverOptions } from './build.js';
import { duration, truth } from './flag-values.js';

/** Flags about who may come in, what is let through and what is written down of it, named as those of the original. */
export interface IdentityFlags {
  anonymousAuth: boolean;
  enableBootstrapTokenAuth: boolean;
  tokenAuthFile?: string;
  oidcIssuerUrl?: string;
  oidcClientId?: string;
  oidcUsernameClaim: string;
  oidcUsernamePrefix?: string;
  oidcGroupsClaim?: string;
  oidcGroupsPrefix?: string;
  oidcRequiredClaim: string[];
  oidcCaFile?: string;
  oidcSigningAlgs: string;
  authenticationConfig?: string;
  authenticationTokenWebhookConfigFile?: string;
  authenticationTokenWebhookCacheTtl: number;
  authorizationConfig?: string;
  authorizationMode?: string[];
  authorizationWebhookConfigFile?: string;
  authorizationWebhookVersion?: string;
  authorizationWebhookCacheAuthorizedTtl: number;
  authorizationWebhookCacheUnauthorizedTtl: number;
  admissionControlConfigFile?: string;
  auditPolicyFile?: string;
  auditLogPath?: string;
  auditLogMaxsize: number;
  auditLogMaxbackup: number;
  auditLogMaxage: number;
  auditWebhookConfigFile?: string;
  auditWebhookMode: string;
  auditWebhookInitialBackoff: number;
  auditWebhookBatchMaxWait: number;
  auditWebhookBatchMaxSize: number;
  auditWebhookBatchBufferSize: number;
  auditWebhookTruncateMaxBatchSize: number;
}

export interface FlagDefinition {
  readonly flags: string;
  readonly description: string;
  readonly parse?: (text: string, before: unknown) => unknown;
  readonly default?: unknown;
}

const requiredClaim = (text: string, before: unknown): string[] => {
  if (!/^[^=]+=/.test(text)) throw new Error(`--oidc-required-claim ${text} is not KEY=VALUE`);
  return [...(before as string[]), text];
};

function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${text} is not a number`);
  return Number(text);
}

function amount(text: string): number {
  const value = count(text);
  if (value === 0) throw new Error('0 is not a positive number');
  return value;
}

const auditWebhookFlags: readonly FlagDefinition[] = [
  {
    flags: '--audit-webhook-config-file <file>',
    description: 'kubeconfig of a service that is sent what is written down',
  },
  {
    flags: '--audit-webhook-mode <mode>',
    description: 'batch: no request waits for that service',
    default: 'batch',
  },
  {
    flags: '--audit-webhook-initial-backoff <duration>',
    description: 'before what it did not take is sent again',
    parse: duration,
    default: 10_000,
  },
  {
    flags: '--audit-webhook-batch-max-wait <duration>',
    description: 'how long events wait for others to be sent with',
    parse: duration,
    default: 30_000,
  },
  {
    flags: '--audit-webhook-batch-max-size <count>',
    description: 'as many are sent at once',
    parse: amount,
    default: 400,
  },
  {
    flags: '--audit-webhook-batch-buffer-size <count>',
    description: 'as many wait; further ones are lost and counted',
    parse: amount,
    default: 10_000,
  },
  {
    flags: '--audit-webhook-truncate-max-batch-size <bytes>',
    description: 'what is larger is sent in pieces',
    parse: amount,
    default: 10_485_760,
  },
];

/** In the order of `--help`. */
export const identityFlags: readonly FlagDefinition[] = [
  {
    flags: '--anonymous-auth <bool>',
    description: 'whether who shows nothing may ask at all',
    parse: truth,
    default: true,
  },
  {
    flags: '--enable-bootstrap-token-auth <bool>',
    description: 'whether bootstrap tokens let nodes in that join',
    parse: truth,
    default: true,
  },
  { flags: '--token-auth-file <file>', description: 'CSV of tokens that never expire: token,user,uid,"groups"' },
  { flags: '--oidc-issuer-url <url>', description: 'OpenID provider whose users may come in' },
  { flags: '--oidc-client-id <id>', description: 'for whom its tokens must be issued' },
  { flags: '--oidc-username-claim <claim>', description: "the user's name in a token", default: 'sub' },
  {
    flags: '--oidc-username-prefix <prefix>',
    description: 'put before it; - for nothing (default: ISSUER#, but for email)',
  },
  { flags: '--oidc-groups-claim <claim>', description: "the user's groups in a token" },
  { flags: '--oidc-groups-prefix <prefix>', description: 'put before each of them' },
  {
    flags: '--oidc-required-claim <key=value>',
    description: 'a claim that a token must have; may be repeated',
    parse: requiredClaim,
    default: [],
  },
  { flags: '--oidc-ca-file <file>', description: "authority of the provider's certificate" },
  { flags: '--oidc-signing-algs <names>', description: 'algorithms of signatures that count', default: 'RS256' },
  {
    flags: '--authentication-config <file>',
    description: 'AuthenticationConfiguration: issuers of tokens, and where the anonymous may come; excludes --oidc-*',
  },
  {
    flags: '--authentication-token-webhook-config-file <file>',
    description: 'kubeconfig of a service that knows tokens',
  },
  {
    flags: '--authentication-token-webhook-cache-ttl <duration>',
    description: 'how long its answers are believed',
    parse: duration,
    default: 120_000,
  },
  {
    flags: '--authorization-config <file>',
    description: 'AuthorizationConfiguration: who is asked about rights, in order; excludes the next three',
  },
  {
    flags: '--authorization-mode <modes>',
    description: 'the same by names: Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny (default: Node,RBAC)',
    parse: (text) => text.split(','),
  },
  {
    flags: '--authorization-webhook-config-file <file>',
    description: 'kubeconfig of a service that knows rights; without modes it is asked before RBAC',
  },
  {
    flags: '--authorization-webhook-version <version>',
    description: 'of the reviews it is sent: v1 or v1beta1 (default: v1)',
  },
  {
    flags: '--authorization-webhook-cache-authorized-ttl <duration>',
    description: 'how long its yes is believed',
    parse: duration,
    default: 300_000,
  },
  {
    flags: '--authorization-webhook-cache-unauthorized-ttl <duration>',
    description: 'how long its no is believed',
    parse: duration,
    default: 30_000,
  },
  {
    flags: '--admission-control-config-file <file>',
    description: 'AdmissionConfiguration: what the admission plugins are told',
  },
  { flags: '--audit-policy-file <file>', description: 'which requests are written down' },
  { flags: '--audit-log-path <file>', description: 'where they are written down; - for standard output' },
  {
    flags: '--audit-log-maxsize <MiB>',
    description: 'size at which a new file is begun; 0: never',
    parse: count,
    default: 100,
  },
  { flags: '--audit-log-maxbackup <count>', description: 'old files that are kept; 0: all', parse: count, default: 0 },
  {
    flags: '--audit-log-maxage <days>',
    description: 'days for which old files are kept; 0: for ever',
    parse: count,
    default: 0,
  },
  ...auditWebhookFlags,
];

type Providers = Pick<
  ApiserverOptions,
  'tokenAuthenticators' | 'letsInAnonymous' | 'authorizers' | 'audit' | 'takesBootstrapTokens'
> & {
  /** Follow their files from their start() to their stop(). */
  readonly followed: readonly (ConfiguredIssuers | ConfiguredAuthorizers)[];
};

/** Builds what the flags ask for; throws an Error that says which of them is wrong. */
export async function loadIdentityProviders(
  flags: IdentityFlags,
  given: { clock: Clock; log: Log; ownIssuer: string; serverId: string },
): Promise<Providers> {
  const { clock, log } = given;
  const tokenAuthenticators: TokenAuthenticator[] = [];
  const issuers = await configuredIssuers(flags, given);
  if (flags.tokenAuthFile) tokenAuthenticators.push(tokenFile(flags.tokenAuthFile));
  if (issuers) tokenAuthenticators.push(issuers);
  else if (flags.oidcIssuerUrl) tokenAuthenticators.push(await oidcAuthenticator(flags.oidcIssuerUrl, flags, given));
  if (flags.authenticationTokenWebhookConfigFile) {
    const { ask } = await reviewClientFromKubeconfig(flags.authenticationTokenWebhookConfigFile, clock);
    const cacheTtlMs = flags.authenticationTokenWebhookCacheTtl;
    tokenAuthenticators.push(new TokenReviews({ ask, cacheTtlMs, clock, log }));
  }
  const audit = await auditOf(flags, clock);
  const authorization = await loadAuthorizers(flags, given);
  return {
    tokenAuthenticators,
    authorizers: authorization.authorizers,
    followed: [...(issuers ? [issuers] : []), ...(authorization.followed ? [authorization.followed] : [])],
    ...anonymousRule(flags, issuers),
    takesBootstrapTokens: flags.enableBootstrapTokenAuth,
    ...(audit ? { audit } : {}),
  };
}

function tokenFile(file: string): TokenFile {
  try {
    return new TokenFile(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function anonymousRule(
  { anonymousAuth }: IdentityFlags,
  issuers: ConfiguredIssuers | undefined,
): Pick<ApiserverOptions, 'letsInAnonymous'> {
  const letsInAnonymous = issuers?.letsInAnonymous;
  if (anonymousAuth) return letsInAnonymous ? { letsInAnonymous } : {};
  if (letsInAnonymous)
    throw new Error(
      '--anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file',
    );
  return { letsInAnonymous: () => false };
}

type Given = { readonly clock: Clock; readonly log: Log };

async function configuredIssuers(
  flags: IdentityFlags,
  given: Given & { readonly ownIssuer: string; readonly serverId: string },
): Promise<ConfiguredIssuers | undefined> {
  const { authenticationConfig: file, oidcIssuerUrl, oidcClientId } = flags;
  if (file === undefined) return undefined;
  if (oidcIssuerUrl || oidcClientId) {
    throw new Error('authentication-config file and oidc-* flags are mutually exclusive');
  }
  const { ConfiguredIssuers: Issuers } = await import('./authentication/configured-issuers.js');
  const { clock, log, ownIssuer, serverId } = given;
  const authenticatorOf = ({ issuer, mapping }: JwtConfiguration): Promise<TokenAuthenticator> =>
    configuredAuthenticator(issuer, mapping, given);
  return Issuers.load({ file, ownIssuers: [ownIssuer], authenticatorOf, clock, log, serverId });
}

function configuredAuthenticator(
  { url, discoveryUrl, audiences, certificateAuthority }: JwtConfiguration['issuer'],
  mapping: JwtConfiguration['mapping'],
  given: Given,
): Promise<TokenAuthenticator> {
  const discovery = discoveryUrl === undefined ? {} : { discoveryUrl };
  const options = { issuerUrl: url, audiences, signingAlgorithms: allAlgorithms, mapping, ...discovery };
  return authenticatorOf(options, certificateAuthority, given);
}

const allAlgorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'];

async function authenticatorOf(
  options: OidcOptions,
  ca: string | undefined,
  given: Given,
): Promise<TokenAuthenticator> {
  // Costs a start a tenth of a second: only where there is a provider.
  const { OidcAuthenticator } = await import('./authentication/oidc-authenticator.js');
  return new OidcAuthenticator(options, { ...given, getJson: (url) => getJson(url, ca) });
}

function oidcAuthenticator(issuerUrl: string, flags: IdentityFlags, given: Given): Promise<TokenAuthenticator> {
  const { oidcClientId, oidcUsernameClaim, oidcGroupsClaim, oidcGroupsPrefix = '' } = flags;
  if (!oidcClientId) throw new Error('--oidc-issuer-url needs --oidc-client-id');
  const ca = flags.oidcCaFile ? readFileSync(flags.oidcCaFile, 'utf8') : undefined;
  const prefix = usernamePrefix(flags.oidcUsernamePrefix, oidcUsernameClaim, issuerUrl);
  const mapping = {
    username: { claim: oidcUsernameClaim, prefix },
    ...(oidcGroupsClaim === undefined ? {} : { groups: { claim: oidcGroupsClaim, prefix: oidcGroupsPrefix } }),
    claimRules: flags.oidcRequiredClaim.map((text) => {
      const equals = text.indexOf('=');
      return { claim: text.slice(0, equals), value: text.slice(equals + 1) };
    }),
  };
  const signingAlgorithms = flags.oidcSigningAlgs.split(',');
  return authenticatorOf({ issuerUrl, audiences: [oidcClientId], signingAlgorithms, mapping }, ca, given);
}

const maxDocumentBytes = 1024 * 1024;
const documentTimeoutMs = 10_000;

/** GET of a JSON document over HTTPS, without following redirects. */
export function getJson(url: string, ca?: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...(ca ? { ca } : {}), headers: { accept: 'application/json' } }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxDocumentBytes) response.destroy(new Error(`${url} is larger than ${maxDocumentBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) {
          reject(new Error(`${url} answered ${response.statusCode ?? 0}`));
          return;
        }
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        } catch {
          reject(new Error(`${url} is not JSON`));
        }
      });
    });
    sent.setTimeout(documentTimeoutMs, () =>
      sent.destroy(new Error(`${url}: no answer within ${documentTimeoutMs} ms`)),
    );
    sent.on('error', reject);
    sent.end();
  });
}

async function auditOf(flags: IdentityFlags, clock: Clock): Promise<ApiserverOptions['audit']> {
  const { auditPolicyFile, auditLogPath, auditWebhookConfigFile } = flags;
  if (!auditLogPath && !auditWebhookConfigFile) return undefined;
  const target = auditLogPath ? '--audit-log-path' : '--audit-webhook-config-file';
  if (!auditPolicyFile) throw new Error(`${target} needs --audit-policy-file`);
  const [document] = readManifests(readFileSync(auditPolicyFile, 'utf8'), { file: auditPolicyFile });
  return {
    policy: readAuditPolicy(document?.value),
    ...(auditLogPath ? { sink: auditSink(auditLogPath, flags, clock) } : {}),
    ...(auditWebhookConfigFile ? { webhook: await auditWebhook(auditWebhookConfigFile, flags, clock) } : {}),
  };
}

function auditSink(path: string, flags: IdentityFlags, clock: Clock): AuditSink {
  if (path === '-') return new AuditStream(process.stdout);
  return new AuditFile({
    path,
    maxSizeBytes: flags.auditLogMaxsize * 1024 * 1024,
    maxBackups: flags.auditLogMaxbackup,
    maxAgeMs: flags.auditLogMaxage * 24 * 3_600_000,
    clock,
  });
}

/** A service may take its time with many events. */
const auditWebhookTimeoutMs = 30_000;

async function auditWebhook(file: string, flags: IdentityFlags, clock: Clock): Promise<AuditTargets['webhook']> {
  if (flags.auditWebhookMode !== 'batch')
    throw new Error(`invalid audit webhook mode ${flags.auditWebhookMode}, allowed modes are "batch"`);
  const { post } = await posterFromKubeconfig(file, clock, auditWebhookTimeoutMs);
  return {
    sink: new AuditWebhook({
      post,
      clock,
      initialBackoffMs: flags.auditWebhookInitialBackoff,
      maxBatchBytes: flags.auditWebhookTruncateMaxBatchSize,
    }),
    batching: {
      maxWaitMs: flags.auditWebhookBatchMaxWait,
      maxEvents: flags.auditWebhookBatchMaxSize,
      bufferEvents: flags.auditWebhookBatchBufferSize,
    },
  };
}
