import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Clock } from '../shared/clock/clock.js';
import type { Log } from '../shared/log/log.js';
import { TokenReviews } from '../shared/review/token-reviews.js';
import { type AuditFlags, auditFlags, loadAudit } from './audit-flags.js';
import type { JwtConfiguration } from './authentication/authentication-configuration.js';
import type { TokenAuthenticator } from './authentication/authenticator.js';
import type { ConfiguredIssuers } from './authentication/configured-issuers.js';
import type { OidcOptions } from './authentication/oidc-authenticator.js';
import { usernamePrefix } from './authentication/oidc-claims.js';
import { TokenFile } from './authentication/token-file.js';
import { reviewClientFromKubeconfig } from './authentication/review-client.js';
import type { ConfiguredAuthorizers } from './authorization/configured-authorizers.js';
import { loadAuthorizers } from './authorization/load-authorizers.js';
import type { ApiserverOptions } from './build.js';
import { duration, type FlagDefinition, truth } from './flag-values.js';

/** Flags about who may come in, what is let through and what is written down of it, named as those of the original. */
export interface IdentityFlags extends AuditFlags {
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
}

const requiredClaim = (text: string, before: unknown): string[] => {
  if (!/^[^=]+=/.test(text)) throw new Error(`--oidc-required-claim ${text} is not KEY=VALUE`);
  return [...(before as string[]), text];
};

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
  ...auditFlags,
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
  const audit = await loadAudit(flags, clock);
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
