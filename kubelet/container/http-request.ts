import { request as httpRequestOf, type IncomingMessage } from 'node:http';
import { request as httpsRequestOf } from 'node:https';

export interface HttpRequest {
  readonly scheme: 'HTTP' | 'HTTPS';
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}
export interface HttpAnswer {
  readonly status: number;
  /** The beginning of it. */
  readonly body: string;
  readonly location?: string;
}

const maxBodyBytes = 10 * 1024;

/** One GET to a container, as probes and hooks make it: certificates are not verified, nothing is kept alive. */
export function httpRequest(options: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const timeout = AbortSignal.timeout(Math.max(1, options.timeoutMs));
    const request = (options.scheme === 'HTTPS' ? httpsRequestOf : httpRequestOf)(
      {
        host: options.host,
        port: options.port,
        path: options.path.startsWith('/') ? options.path : `/${options.path}`,
        method: 'GET',
        headers: headersOf(options),
        agent: false,
        // Kubernetes does not verify what a container shows to its own kubelet.
        rejectUnauthorized: false,
        setHost: false,
        // Small web servers end their lines with LF alone, which the original takes too. Nothing follows on this connection.
        insecureHTTPParser: true,
        signal: AbortSignal.any([options.signal, timeout]),
      },
      (response) => readBody(response, resolve, reject),
    );
    request.on('error', (error) => {
      reject(
        timeout.aborted
          ? new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
          : error,
      );
    });
    request.end();
  });
}

function headersOf(options: HttpRequest): Record<string, string | string[]> {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const headers: Record<string, string | string[]> = {
    Host: `${host}:${options.port}`,
    'User-Agent': options.userAgent,
    Accept: '*/*',
    Connection: 'close',
  };
  for (const { name, value } of options.headers) {
    const known = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase());
    if (known) delete headers[known];
    headers[name] = value;
  }
  return headers;
}

function readBody(
  response: IncomingMessage,
  resolve: (answer: HttpAnswer) => void,
  reject: (error: unknown) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (): void => {
    const { location } = response.headers;
    const body = Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8');
    resolve({ status: response.statusCode ?? 0, body, ...(location ? { location } : {}) });
  };
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size < maxBodyBytes) return;
    finish();
    response.destroy();
  });
  response.on('end', finish);
  response.on('error', reject);
}
