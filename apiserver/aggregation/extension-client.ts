import type { RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { APIServiceSpec } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { KeyPair } from '../../shared/pki/certificate.js';
import { readBounded } from '../services/bounded-answer.js';
import { ServiceAgents } from '../services/service-agents.js';
import type { ResolveService } from '../services/service-resolver.js';
import { aggregatorUser, withRemoteUser } from './remote-user.js';

/** Requests and watches that are open at once at one extension server. */
const maxSocketsPerHost = 1_024;
const timeoutMs = 5_000;

/** How an extension server's answer came. */
export interface ExtensionAnswer {
  readonly code: number;
  readonly body: Buffer;
  readonly etag?: string;
}

/** Reaches extension servers with the front proxy's certificate. */
export class ExtensionClient {
  readonly #resolve: ResolveService;
  readonly #clock: Clock;
  readonly #agents: ServiceAgents;

  constructor(resolve: ResolveService, clock: Clock, client: KeyPair | undefined) {
    this.#resolve = resolve;
    this.#clock = clock;
    this.#agents = new ServiceAgents({ maxSocketsPerHost, ...(client ? { client } : {}) });
  }

  close(): void {
    this.#agents.close();
  }

  /** Where requests for a group go; throws a StatusError where its Service is not reached. */
  target({ service, caBundle, insecureSkipTLSVerify }: APIServiceSpec): RequestOptions & { readonly host: string } {
    const { namespace = '', name = '', port = 443 } = service ?? {};
    const endpoint = this.#resolve(namespace, name, port);
    const trust = { ...(caBundle ? { caBundle } : {}), isInsecure: insecureSkipTLSVerify === true };
    return { ...endpoint, agent: this.#agents.agentFor(trust), ...({ servername: serverNameOf(service) } as object) };
  }

  /** Asks as the server itself, without waiting for long. Rejects with what Go's client would have said. */
  get(
    spec: APIServiceSpec,
    path: string,
    given: { accept: string; maxBytes: number; etag?: string },
  ): Promise<ExtensionAnswer> {
    const { accept, maxBytes, etag } = given;
    return new Promise((resolve, reject) => {
      const options = this.target(spec);
      const headers = withRemoteUser({ accept, host: serverNameOf(spec.service) }, aggregatorUser);
      if (etag) headers['if-none-match'] = etag;
      const sent = httpsRequest({ ...options, path, method: 'GET', headers });
      const cancel = this.#clock.schedule(timeoutMs, () => sent.destroy(new Error('context deadline exceeded')));
      sent.on('error', (error) => {
        cancel();
        reject(error);
      });
      sent.on('response', (answer) => {
        readBounded(answer, maxBytes).then(
          (body) => {
            cancel();
            const tag = answer.headers.etag;
            resolve({ code: answer.statusCode ?? 0, body, ...(tag ? { etag: tag } : {}) });
          },
          (error: Error) => {
            cancel();
            reject(error);
          },
        );
      });
      sent.end();
    });
  }
}

/** Whom the certificate of an extension server must name. */
export const serverNameOf = (service: APIServiceSpec['service']): string =>
  `${service?.name ?? ''}.${service?.namespace ?? ''}.svc`;
