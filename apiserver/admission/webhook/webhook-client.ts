import { request as httpsRequest } from 'node:https';
import type { AdmissionregistrationV1WebhookClientConfig } from '../../../shared/api/generated/types.js';
import type { Clock } from '../../../shared/clock/clock.js';
import { readBounded } from '../../services/bounded-answer.js';
import { ServiceAgents } from '../../services/service-agents.js';
import type { Credentials, CredentialsFor } from './webhook-credentials.js';
import type { ResolveService } from '../../services/service-resolver.js';

/** Why a webhook could not be asked, in the words of the original. */
export class CallError extends Error {
  override readonly name = 'CallError';
}

const maxAnswerBytes = 3 * 1024 * 1024;
const maxErrorText = 2_048;
const maxSocketsPerHost = 64;

/** A webhook's URL in its parts. */
interface Address {
  /** As messages show it. */
  readonly text: string;
  /** Whom the certificate must name. */
  readonly serverName: string;
  readonly authority: string;
  readonly path: string;
  readonly port: number;
}

/** Where the connection goes. */
interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Whom the server trusts, and what it shows of itself. */
interface Shown {
  readonly caBundle: string | undefined;
  readonly client: Credentials['client'] | undefined;
  readonly authorization: string | undefined;
}

/** Posts JSON to webhooks over HTTPS; connections stay open between calls. */
export class WebhookClient {
  readonly #resolve: ResolveService;
  readonly #clock: Clock;
  readonly #agents = new ServiceAgents({ maxSocketsPerHost });

  readonly #credentialsFor: CredentialsFor;

  constructor(resolve: ResolveService, clock: Clock, credentialsFor: CredentialsFor = () => undefined) {
    this.#resolve = resolve;
    this.#clock = clock;
    this.#credentialsFor = credentialsFor;
  }

  /** The answer as JSON. Throws a {@link CallError}. */
  async post(
    config: AdmissionregistrationV1WebhookClientConfig,
    body: Buffer,
    timeoutSeconds: number,
    maxBytes = maxAnswerBytes,
  ): Promise<unknown> {
    const address = addressOf(config, timeoutSeconds);
    const fail = (why: string): CallError => new CallError(`Post ${JSON.stringify(address.text)}: ${why}`);
    let endpoint: Endpoint;
    try {
      endpoint = this.#endpoint(config, address);
    } catch (error) {
      throw fail((error as Error).message);
    }
    const credentials = this.#credentialsFor(`${address.serverName}:${address.port}`);
    let authorization: string | undefined;
    try {
      authorization = await credentials?.authorization?.();
    } catch (error) {
      throw fail((error as Error).message);
    }
    const limits = { timeoutSeconds, maxBytes };
    const shown = { caBundle: config.caBundle, client: credentials?.client, authorization };
    const { status, bytes } = await this.#exchange(address, endpoint, shown, body, limits, fail);
    const text = bytes.toString('utf8');
    if (status < 200 || status > 299) throw new CallError(refusalText(status, text));
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new CallError(
        `couldn't get version/kind; json parse error: ${JSON.stringify(text.slice(0, 120))} is no JSON`,
      );
    }
  }

  close(): void {
    this.#agents.close();
  }

  #endpoint({ service }: AdmissionregistrationV1WebhookClientConfig, { serverName, port }: Address): Endpoint {
    return service ? this.#resolve(service.namespace, service.name, port) : { host: serverName, port };
  }

  #exchange(
    { serverName, authority, path }: Address,
    { host, port }: Endpoint,
    { caBundle, client, authorization }: Shown,
    body: Buffer,
    { timeoutSeconds, maxBytes }: { readonly timeoutSeconds: number; readonly maxBytes: number },
    fail: (why: string) => CallError,
  ): Promise<{ status: number; bytes: Buffer }> {
    return new Promise((resolve, reject) => {
      const sent = httpsRequest({
        host,
        port,
        path,
        method: 'POST',
        agent: this.#agents.agentFor({ ...(caBundle ? { caBundle } : {}), ...(client ? { client } : {}) }),
        // An address is checked against the certificate too, but must not be sent as a name.
        ...(/^[\d.]+$|:/.test(serverName) ? {} : { servername: serverName }),
        headers: {
          host: authority,
          'content-type': 'application/json',
          accept: 'application/json',
          'content-length': body.length,
          'user-agent': 'kube-apiserver-admission',
          ...(authorization === undefined ? {} : { authorization }),
        },
      });
      let isLate = false;
      const cancel = this.#clock.schedule(timeoutSeconds * 1000, () => {
        isLate = true;
        sent.destroy(new Error('context deadline exceeded'));
      });
      const failWith = (error: Error): void => {
        cancel();
        reject(fail(isLate ? 'context deadline exceeded' : reasonOf(error, host, port)));
      };
      sent.on('error', failWith);
      sent.on('response', (answer) => {
        readBounded(answer, maxBytes).then((bytes) => {
          cancel();
          resolve({ status: answer.statusCode ?? 0, bytes });
        }, failWith);
      });
      sent.end(body);
    });
  }
}

function addressOf({ url, service }: AdmissionregistrationV1WebhookClientConfig, timeoutSeconds: number): Address {
  const port = service?.port ?? 443;
  const given = new URL(
    service ? `https://${service.name}.${service.namespace}.svc${service.path ?? ''}` : (url ?? ''),
  );
  given.searchParams.set('timeout', `${timeoutSeconds}s`);
  // The original names the port of a Service even where it is that of https.
  const authority = service ? `${given.hostname}:${port}` : given.host;
  const path = `${given.pathname}${given.search}`;
  return {
    text: `https://${authority}${path}`,
    serverName: given.hostname.replace(/^\[|\]$/g, ''),
    authority,
    path,
    port: service ? port : Number(given.port) || 443,
  };
}

const certificateProblems: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
  CERT_SIGNATURE_FAILURE: 'certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
};

/** What Go's client would have said. */
function reasonOf(error: Error, host: string, port: number): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const known = certificateProblems[code];
  if (known) return `tls: failed to verify certificate: x509: ${known}`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `tls: failed to verify certificate: x509: certificate is not valid for ${host}: ${message}`;
  }
  if (code === 'ECONNREFUSED') return `dial tcp ${host}:${port}: connect: connection refused`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${host}: no such host`;
  if (code === 'ECONNRESET') return 'EOF';
  return message;
}

function refusalText(status: number, text: string): string {
  if (status === 404) return 'the server could not find the requested resource';
  if (status === 429) return 'the server has received too many requests and has asked us to try again later';
  const plain = JSON.stringify(text.trim().slice(0, maxErrorText) || `unknown`);
  if (status >= 500) return `an error on the server (${plain}) has prevented the request from succeeding`;
  return `the server rejected our request for an unknown reason (${status}: ${plain})`;
}
