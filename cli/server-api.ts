import type { RawResponse } from '../shared/client/client.js';
import type { HttpsClient } from '../shared/client/https-client.js';
import { OpenApi } from './open-api.js';
import { StatusError, type StatusObject } from '../shared/errors/status-error.js';

/** Any JSON object of the API, for commands that work on every kind. */
export interface AnyObject {
  apiVersion: string;
  kind: string;
  metadata: AnyMetadata;
  [field: string]: unknown;
}
export interface AnyMetadata {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  /** Of lists: where the next page starts. */
  continue?: string;
  [field: string]: unknown;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly accept?: string;
  readonly contentType?: string;
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  /** Whether the client waits as long as the server asks for, and tries again; true by default. */
  readonly isRetried?: boolean;
}

/** Exchanges of JSON with the server. Failures are StatusErrors; the server's warnings are told once each. */
export class ServerApi {
  readonly client: HttpsClient;
  /** Schemas of the server's types. */
  readonly openApi: OpenApi = new OpenApi((path) => this.json({ path }));
  readonly #warn: (message: string) => void;
  readonly #signal: AbortSignal;
  readonly #told = new Set<string>();

  constructor(client: HttpsClient, warn: (message: string) => void, signal: AbortSignal) {
    this.client = client;
    this.#warn = warn;
    this.#signal = signal;
  }

  async json<T = AnyObject>(request: ApiRequest): Promise<T> {
    return JSON.parse(await this.text(request)) as T;
  }

  async text(request: ApiRequest): Promise<string> {
    const { body, contentType, accept } = request;
    const response = await this.client.raw({
      method: request.method ?? 'GET',
      path: request.path + queryText(request.query ?? {}),
      headers: {
        ...(accept ? { accept } : {}),
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(request.isRetried === undefined ? {} : { isRetried: request.isRetried }),
      signal: this.#signal,
    });
    this.#tellWarnings(response);
    const text = response.body.toString('utf8');
    if (response.status >= 300) throw statusError(response.status, text);
    return text;
  }

  #tellWarnings(response: RawResponse): void {
    for (const message of warningsOf(response.headers['warning'])) {
      if (this.#told.has(message)) continue;
      this.#told.add(message);
      this.#warn(message);
    }
  }
}

/** The failure that a response's body tells. */
export function statusError(code: number, text: string): StatusError {
  try {
    const status = JSON.parse(text) as Partial<StatusObject> | null;
    if (status?.kind === 'Status') return StatusError.fromStatus(status, code);
  } catch {
    // Not from the API itself but from something between: the text is all there is.
  }
  return StatusError.fromStatus({ message: text.trim().slice(0, 1000) || `the server answered ${code}` }, code);
}

export function queryText(query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** Texts of `299 - "text"` headers (RFC 7234 5.5); several may stand in one line. */
function warningsOf(header: string | readonly string[] | undefined): string[] {
  const lines = header === undefined ? [] : typeof header === 'string' ? [header] : header;
  return lines.flatMap((line) =>
    [...line.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1')),
  );
}
