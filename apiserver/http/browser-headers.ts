import type { RE2JS } from '@bufbuild/re2';
import { compileRegex } from '../cel/functions/regex.js';
import { header, type RawRequest } from './exchange.js';

export interface BrowserHeaderOptions {
  /** Regular expressions over the header Origin. */
  readonly corsAllowedOrigins?: readonly string[];
  /** `max-age=31536000`, `includeSubDomains`, `preload`. */
  readonly strictTransportSecurity?: readonly string[];
}

const allowedMethods = 'POST, GET, OPTIONS, PUT, DELETE, PATCH';
const allowedHeaders =
  'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since';
const directive = /^(max-age=[1-9]\d*|includeSubDomains|preload)$/;

/** What browsers are told with every answer: that this host speaks TLS alone, and which pages may read it. */
export class BrowserHeaders {
  readonly #origins: readonly RE2JS[];
  readonly #always: Readonly<Record<string, string>>;

  /** Throws an Error where a flag says what cannot be. */
  constructor({ corsAllowedOrigins = [], strictTransportSecurity = [] }: BrowserHeaderOptions) {
    this.#origins = corsAllowedOrigins.map((pattern) => compileRegex(pattern));
    const wrong = strictTransportSecurity.find((one) => !directive.test(one));
    if (wrong !== undefined) {
      throw new Error(
        `--strict-transport-security-directives invalid, allowed values: max-age=expireTime, includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for more information (${wrong})`,
      );
    }
    this.#always =
      strictTransportSecurity.length > 0 ? { 'strict-transport-security': strictTransportSecurity.join('; ') } : {};
  }

  headersFor(request: RawRequest): Readonly<Record<string, string>> {
    const origin = this.#origins.length === 0 ? undefined : header(request, 'origin');
    if (origin === undefined || !this.#allows(origin)) return this.#always;
    return {
      ...this.#always,
      'access-control-allow-origin': origin,
      'access-control-allow-methods': allowedMethods,
      'access-control-allow-headers': allowedHeaders,
      'access-control-expose-headers': 'Date',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    };
  }

  /** Whether a browser only asks what it may: that is answered before anybody is asked who he is. */
  isPreflight(request: RawRequest): boolean {
    if (request.method !== 'OPTIONS' || this.#origins.length === 0) return false;
    const origin = header(request, 'origin');
    return origin !== undefined && this.#allows(origin);
  }

  #allows(origin: string): boolean {
    return this.#origins.some((pattern) => pattern.test(origin));
  }
}
