import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { tokenreviews } from '../../shared/api/generated/resources.js';
import type { ConfigMap, TokenReview } from '../../shared/api/generated/types.js';
import type { Client } from '../../shared/client/client.js';

/** Who asks. */
export interface Requester {
  readonly name: string;
  readonly groups: readonly string[];
}

/** What the ConfigMap extension-apiserver-authentication says of the clients of an extension server. */
export class Requesters {
  readonly #client: Client;
  readonly #data: Readonly<Record<string, string>>;

  constructor(client: Client, { data = {} }: ConfigMap) {
    this.#client = client;
    this.#data = data;
  }

  /** PEM of the authorities whose certificates are looked at. */
  get authorities(): string[] {
    return ['requestheader-client-ca-file', 'client-ca-file'].flatMap((key) => this.#data[key] ?? []);
  }

  /**
   * In the order of the original's library: the front proxy's certificate with the headers that it sends, a client
   * certificate of the cluster, a bearer token. Undefined for nobody of these: headers alone say nothing.
   */
  async of(request: IncomingMessage): Promise<Requester | undefined> {
    return this.#fronted(request) ?? this.#certified(request) ?? (await this.#tokenHolder(request));
  }

  #fronted(request: IncomingMessage): Requester | undefined {
    const subject = this.#subject(request, 'requestheader-client-ca-file');
    const allowed = this.#list('requestheader-allowed-names');
    if (!subject || (allowed.length > 0 && !allowed.includes(subject.CN))) return undefined;
    const [name] = this.#headers(request, 'requestheader-username-headers');
    return name === undefined ? undefined : { name, groups: this.#headers(request, 'requestheader-group-headers') };
  }

  #certified(request: IncomingMessage): Requester | undefined {
    const subject = this.#subject(request, 'client-ca-file');
    return subject && { name: subject.CN, groups: [subject.O ?? []].flat() };
  }

  async #tokenHolder({ headers }: IncomingMessage): Promise<Requester | undefined> {
    const [, token] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? [];
    if (token === undefined) return undefined;
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token } };
    const { status } = await this.#client.create<TokenReview>(tokenreviews, review as TokenReview);
    if (!status?.authenticated) return undefined;
    return { name: status.user?.username ?? '', groups: status.user?.groups ?? [] };
  }

  #subject(request: IncomingMessage, key: string): { readonly CN: string; readonly O?: string | string[] } | undefined {
    const socket = request.socket as TLSSocket;
    const authority = this.#data[key];
    if (!socket.authorized || authority === undefined) return undefined;
    const { raw, subject } = socket.getPeerCertificate();
    const isOfAuthority = new X509Certificate(raw).verify(new X509Certificate(authority).publicKey);
    return isOfAuthority ? (subject as { CN: string; O?: string | string[] }) : undefined;
  }

  #list(key: string): readonly string[] {
    return JSON.parse(this.#data[key] ?? '[]') as string[];
  }

  #headers(request: IncomingMessage, key: string): string[] {
    return this.#list(key).flatMap((header) => request.headersDistinct[header.toLowerCase()] ?? []);
  }
}
