import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock/clock.js';
import type { Client } from './client.js';
import { Connection } from './connection.js';
import { HttpsClient, type HttpsClientOptions } from './https-client.js';
import { loadKubeconfig, resolveContext, type ClusterAccess, type ParseYaml } from './kubeconfig.js';
import { fileToken, staticToken, type TokenSource } from './token-source.js';

export type ConnectOptions = Omit<HttpsClientOptions, 'connection' | 'token'>;

/** A client of the cluster that `access` describes. */
export function clientFromAccess(access: ClusterAccess, options: ConnectOptions): HttpsClient {
  const token = tokenOf(access, options.clock);
  const connection = new Connection(access.connection, options.clock);
  return new HttpsClient({ ...options, connection, ...(token ? { token } : {}) });
}

function tokenOf(access: ClusterAccess, clock: Clock): TokenSource | undefined {
  const { token, tokenFile } = access;
  if (token !== undefined) return staticToken(token);
  return tokenFile === undefined ? undefined : fileToken(() => readFile(tokenFile, 'utf8'), clock);
}

/** A client for one context of a kubeconfig file, by default the current one. */
export async function clientFromKubeconfig(
  path: string,
  options: ConnectOptions & { context?: string; parseYaml?: ParseYaml },
): Promise<HttpsClient> {
  const { context, parseYaml, ...rest } = options;
  const config = await loadKubeconfig(path, parseYaml);
  return clientFromAccess(await resolveContext(config, path, context), rest);
}

export interface WaitOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Gives up after so long, with the last failure. Default: never. */
  readonly timeoutMs?: number;
  /** Called at the first failure, and then about every ten seconds. */
  readonly onWaiting?: (reason: string) => void;
}

/** The client as a part of a process: started once its server is ready, closed at the end. */
export function serverConnection(
  client: Client,
  clock: Clock,
  onWaiting: (reason: string) => void,
): { name: string; start: () => Promise<void>; stop: () => void } {
  return { name: 'server', start: () => waitForServer(client, { clock, onWaiting }), stop: () => client.close() };
}

/** Resolves once the server says that it is ready; asks with a back-off of 20 ms up to half a second. */
export async function waitForServer(client: Client, options: WaitOptions): Promise<void> {
  const { clock, signal, onWaiting } = options;
  const startMs = clock.monotonic();
  let toldMs = Number.NEGATIVE_INFINITY;
  for (let delayMs = 20; ; delayMs = Math.min(delayMs * 1.5, 500)) {
    const reason = await unreadyReason(client, signal);
    if (reason === undefined) return;
    const nowMs = clock.monotonic();
    if (options.timeoutMs !== undefined && nowMs - startMs >= options.timeoutMs) {
      throw new Error(`the server ${client.server} did not get ready within ${options.timeoutMs} ms: ${reason}`);
    }
    if (nowMs - toldMs >= 10_000) {
      toldMs = nowMs;
      onWaiting?.(reason);
    }
    await clock.sleep(delayMs, signal);
  }
}

const certificateErrors = /^(ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

async function unreadyReason(client: Client, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    const { status } = await client.raw({ path: '/readyz', ...(signal ? { signal } : {}) });
    return status === 200 ? undefined : `/readyz answered ${status}`;
  } catch (error) {
    if (signal?.aborted) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    // A certificate that does not fit will not get better by waiting.
    if (code !== undefined && certificateErrors.test(code)) throw error;
    return code ?? message;
  }
}
