import type { KubernetesObject, ObjectList, Unsaved } from '../api/object.js';
import { resourcePath, type Resource } from '../api/resource.js';
import type { Clock } from '../clock/clock.js';
import { StatusError, type StatusObject } from '../errors/status-error.js';
import type {
  CallOptions,
  Client,
  DeleteOptions,
  FormOptions,
  ListOptions,
  PatchOptions,
  PatchType,
  RawRequest,
  RawResponse,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.js';
import type { Answer } from './answer.js';
import type { Connection, TlsIdentity } from './connection.js';
import { deleteBody, listQuery, watchQuery, writeQuery } from './query.js';
import type { TokenSource } from './token-source.js';
import type { Exchange } from './transport.js';
import { watchEvents } from './watch-stream.js';

/** Told of every answer of the server, also of those that are asked for again. */
export type OnAnswer = (answer: {
  readonly method: string;
  /** `host:port` of the server. */
  readonly host: string;
  /** Undefined: there was none. */
  readonly code: number | undefined;
  /** Until its head came. */
  readonly durationMs: number;
}) => void;

export interface HttpsClientOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly token?: TokenSource;
  /** Also the default field manager, as the server derives it. */
  readonly userAgent?: string;
  /** Sent with every request, e.g. to act as another user. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Per call but watches. Default 30 s. */
  readonly timeoutMs?: number;
  readonly onAnswer?: OnAnswer;
}

const patchContentTypes: Readonly<Record<PatchType, string>> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** How often, and how long, a call waits because the server said Retry-After. */
const maxRetries = 10;
const maxRetryWaitMs = 10_000;

/** {@link Client} over TLS. */
export class HttpsClient implements Client {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #token: TokenSource | undefined;
  readonly #timeoutMs: number;
  readonly #onAnswer: OnAnswer | undefined;
  readonly #host: string;
  readonly #headers: Record<string, string | string[]>;
  readonly #extraHeaders: Readonly<Record<string, string | string[]>>;

  constructor(options: HttpsClientOptions) {
    this.#connection = options.connection;
    this.#clock = options.clock;
    this.#token = options.token;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#onAnswer = options.onAnswer;
    this.#host = new URL(options.connection.server).host;
    this.#extraHeaders = options.headers ?? {};
    this.#headers = {
      accept: 'application/json',
      'user-agent': options.userAgent ?? 'knarr',
      ...this.#extraHeaders,
    };
  }

  get server(): string {
    return this.#connection.server;
  }

  get<T>(
    resource: Resource<T>,
    name: string,
    namespace?: string,
    options: CallOptions & { subresource?: string } = {},
  ): Promise<T> {
    const path = resourcePath(resource, namespace, name, options.subresource);
    return this.#json({ method: 'GET', path, signal: options.signal });
  }

  async list<T>(resource: Resource<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const path = resourcePath(resource, options.namespace) + listQuery(options);
    const headers = acceptHeader(options, 'PartialObjectMetadataList');
    const list = await this.#json<ObjectList<T>>({ method: 'GET', path, headers, signal: options.signal });
    for (const item of list.items as Partial<KubernetesObject>[]) {
      item.apiVersion ??= resource.apiVersion;
      item.kind ??= resource.kind;
    }
    return list;
  }

  create<T>(
    resource: Resource<T>,
    object: Unsaved<T>,
    options: WriteOptions & { subresource?: string; name?: string } = {},
  ): Promise<T> {
    const { namespace } = object.metadata;
    const path = resourcePath(resource, namespace, options.name, options.subresource) + writeQuery(options);
    const typed = { apiVersion: resource.apiVersion, kind: resource.kind, ...object };
    return this.#json({ method: 'POST', path, body: JSON.stringify(typed), signal: options.signal });
  }

  update<T extends KubernetesObject>(
    resource: Resource<T>,
    object: T,
    options: WriteOptions & { subresource?: string } = {},
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    const path = resourcePath(resource, namespace, name, options.subresource) + writeQuery(options);
    return this.#json({ method: 'PUT', path, body: JSON.stringify(object), signal: options.signal });
  }

  updateStatus<T extends KubernetesObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.update(resource, object, { ...options, subresource: 'status' });
  }

  patch<T>(
    resource: Resource<T>,
    name: string,
    namespace: string | undefined,
    type: PatchType,
    patch: unknown,
    options: PatchOptions = {},
  ): Promise<T> {
    const path = resourcePath(resource, namespace, name, options.subresource) + writeQuery(options);
    const headers = { 'content-type': patchContentTypes[type] };
    return this.#json({ method: 'PATCH', path, body: JSON.stringify(patch), headers, signal: options.signal });
  }

  async delete(resource: Resource, name: string, namespace?: string, options: DeleteOptions = {}): Promise<void> {
    const path = resourcePath(resource, namespace, name);
    await this.#json({ method: 'DELETE', path, body: deleteBody(options), signal: options.signal });
  }

  async deleteCollection(resource: Resource, options: ListOptions & DeleteOptions = {}): Promise<void> {
    const path = resourcePath(resource, options.namespace) + listQuery(options);
    await this.#json({ method: 'DELETE', path, body: deleteBody(options), signal: options.signal });
  }

  async *watch<T>(resource: Resource<T>, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    const { signal } = options;
    const path = resourcePath(resource, options.namespace) + watchQuery(options);
    const headers = acceptHeader(options, 'PartialObjectMetadata');
    const response = await this.#open({ method: 'GET', path, headers, signal, isStream: true });
    if (response.status !== 200) throw statusError(response, await this.#read(response, signal));
    const silenceTimeoutMs = options.silenceTimeoutMs ?? 90_000;
    yield* watchEvents<T>(response, { clock: this.#clock, silenceTimeoutMs, signal });
  }

  /** A watch at any path, in any form that `accept` asks for (Tables). The path carries the query, watch=true included. */
  async *watchPath<T>(
    path: string,
    options: { accept?: string; signal?: AbortSignal; silenceTimeoutMs?: number } = {},
  ): AsyncGenerator<WatchEvent<T>> {
    const { accept, signal, silenceTimeoutMs = 2_000_000_000 } = options;
    const response = await this.stream({
      path,
      ...(accept ? { headers: { accept } } : {}),
      ...(signal ? { signal } : {}),
    });
    yield* watchEvents<T>(response, { clock: this.#clock, silenceTimeoutMs, signal });
  }

  /** An answer whose body is read as it comes (logs with follow); the caller reads or destroys it. Throws the StatusError of a failure. */
  async stream(request: RawRequest): Promise<Answer> {
    const response = await this.#open({ ...request, method: request.method ?? 'GET', isStream: true });
    if (response.status >= 300) throw statusError(response, await this.#read(response, request.signal));
    return response;
  }

  /** What a WebSocket library needs to open `path` on the server as this caller. */
  async webSocketAccess(path: string): Promise<WebSocketAccess> {
    const token = await this.#token?.token();
    const userAgent = this.#headers['user-agent'];
    const headers: Record<string, string | string[]> = { 'user-agent': userAgent ?? 'knarr', ...this.#extraHeaders };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    return { url: this.server.replace(/^http/, 'ws') + path, tls: this.#connection.tls, headers };
  }

  async raw(request: RawRequest): Promise<RawResponse> {
    const response = await this.#open({ ...request, method: request.method ?? 'GET' });
    const body = await this.#read(response, request.signal);
    return { status: response.status, headers: response.headers, body };
  }

  close(): void {
    this.#connection.close();
  }

  async #json<T>(request: Request): Promise<T> {
    const response = await this.#open(request);
    const body = await this.#read(response, request.signal);
    if (response.status >= 300) throw statusError(response, body);
    return JSON.parse(body.toString('utf8')) as T;
  }

  #read(response: Answer, signal: AbortSignal | undefined): Promise<Buffer> {
    return response.read({ clock: this.#clock, timeoutMs: this.#timeoutMs, signal });
  }

  /** Sends until the answer is one to keep: not "later", and not 401 for a token that can be renewed. */
  async #open(request: Request): Promise<Answer> {
    let tokenRefused = false;
    for (let retries = 0; ;) {
      const token = await this.#token?.token();
      const response = await this.#exchanged(this.#exchange(request, token));
      if (response.status === 401 && token !== undefined && !tokenRefused) {
        tokenRefused = true;
        this.#token?.refused(token);
      } else {
        const waitMs = request.isRetried === false ? undefined : retryAfterMs(response);
        if (waitMs === undefined || retries++ >= maxRetries) return response;
        await this.#read(response, request.signal);
        await this.#clock.sleep(waitMs, request.signal);
        continue;
      }
      await this.#read(response, request.signal);
    }
  }

  async #exchanged(exchange: Exchange): Promise<Answer> {
    if (!this.#onAnswer) return this.#connection.open(exchange);
    const startMs = this.#clock.monotonic();
    let code: number | undefined;
    try {
      const response = await this.#connection.open(exchange);
      code = response.status;
      return response;
    } finally {
      const { method } = exchange;
      this.#onAnswer({ method, host: this.#host, code, durationMs: this.#clock.monotonic() - startMs });
    }
  }

  #exchange(request: Request, token: string | undefined): Exchange {
    const headers: Record<string, string | string[]> = { ...this.#headers };
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    return { ...request, headers: { ...headers, ...request.headers }, timeoutMs: this.#timeoutMs };
  }
}

/** Address, identity and headers of a WebSocket. */
export interface WebSocketAccess {
  readonly url: string;
  readonly tls: TlsIdentity;
  readonly headers: Readonly<Record<string, string | string[]>>;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly isStream?: boolean;
  readonly isRetried?: boolean | undefined;
}

function acceptHeader({ isMetadataOnly }: FormOptions, kind: string): Record<string, string> {
  return isMetadataOnly ? { accept: `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json` } : {};
}

/** The wait that the server asks for: with 429 and with 5xx, as client-go does. */
function retryAfterMs(response: Answer): number | undefined {
  const { status, headers } = response;
  if (status !== 429 && status < 500) return undefined;
  const seconds = Number(headers['retry-after']);
  if (headers['retry-after'] === undefined || !Number.isFinite(seconds) || seconds < 0) return undefined;
  return Math.min(seconds * 1000, maxRetryWaitMs);
}

function statusError(response: Answer, body: Buffer): StatusError {
  const code = response.status;
  const text = body.toString('utf8');
  try {
    const status = JSON.parse(text) as Partial<StatusObject> | null;
    if (status?.kind === 'Status') return StatusError.fromStatus(status, code);
  } catch {
    // Not from the API itself but from something between: the text is all there is.
  }
  return StatusError.fromStatus({ message: text.trim().slice(0, 1000) || `the server answered ${code}` }, code);
}
