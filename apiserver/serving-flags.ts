import type { ServingOptions } from './build.js';
import { duration } from './flag-values.js';

/** Flags about how is served, named as those of the original. */
export interface ServingFlags {
  eventTtl: number;
  requestTimeout: number;
  shutdownDelayDuration: number;
  tlsMinVersion?: string;
  tlsCipherSuites?: string[];
  corsAllowedOrigins: string[];
  strictTransportSecurityDirectives: string[];
  defaultNotReadyTolerationSeconds: number;
  defaultUnreachableTolerationSeconds: number;
}

function seconds(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${text} is not a number of seconds`);
  return Number(text);
}

const words = (text: string): string[] => text.split(',').filter((word) => word !== '');

/** In the order of `--help`. */
export const servingFlags = [
  { flags: '--event-ttl <duration>', description: 'how long events are kept', parse: duration, default: 3_600_000 },
  {
    flags: '--request-timeout <duration>',
    description: 'in how much time whatever is no stream must be answered',
    parse: duration,
    default: 60_000,
  },
  {
    flags: '--shutdown-delay-duration <duration>',
    description: 'how long requests are still taken after /readyz has begun to fail',
    parse: duration,
    default: 0,
  },
  { flags: '--tls-min-version <version>', description: 'VersionTLS12 or VersionTLS13 (default: VersionTLS12)' },
  { flags: '--tls-cipher-suites <names>', description: 'suites of TLS, by their names in Go', parse: words },
  {
    flags: '--cors-allowed-origins <patterns>',
    description: 'regular expressions for the origins of pages that may read answers',
    parse: words,
    default: [],
  },
  {
    flags: '--strict-transport-security-directives <directives>',
    description: 'what browsers are told of TLS: max-age=SECONDS,includeSubDomains,preload',
    parse: words,
    default: [],
  },
  {
    flags: '--default-not-ready-toleration-seconds <seconds>',
    description: 'how long pods that do not say so stay on a node that is not ready',
    parse: seconds,
    default: 300,
  },
  {
    flags: '--default-unreachable-toleration-seconds <seconds>',
    description: 'and on one that has fallen silent',
    parse: seconds,
    default: 300,
  },
] as const;

const tlsVersions: Readonly<Record<string, 'TLSv1.2' | 'TLSv1.3'>> = {
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
};

/** What Go calls them, and OpenSSL. */
const cipherSuites: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
};

/** What the flags ask for; throws an Error that says which of them is wrong. */
export function readServing(flags: ServingFlags): ServingOptions {
  const { tlsMinVersion, tlsCipherSuites } = flags;
  const minVersion = tlsMinVersion === undefined ? undefined : tlsVersions[tlsMinVersion];
  if (tlsMinVersion !== undefined && !minVersion)
    throw new Error(`--tls-min-version: unknown tls version ${JSON.stringify(tlsMinVersion)}`);
  const ciphers = tlsCipherSuites?.map((name) => {
    const known = cipherSuites[name];
    if (known === undefined)
      throw new Error(`--tls-cipher-suites: Cipher suite ${name} not supported or doesn't exist`);
    return known;
  });
  return {
    eventTtlMs: flags.eventTtl,
    requestTimeoutMs: flags.requestTimeout,
    shutdownDelayMs: flags.shutdownDelayDuration,
    ...(minVersion ? { tlsMinVersion: minVersion } : {}),
    ...(ciphers ? { cipherSuites: ciphers } : {}),
    browser: {
      corsAllowedOrigins: flags.corsAllowedOrigins,
      strictTransportSecurity: flags.strictTransportSecurityDirectives,
    },
    tolerations: {
      notReadySeconds: flags.defaultNotReadyTolerationSeconds,
      unreachableSeconds: flags.defaultUnreachableTolerationSeconds,
    },
  };
}
