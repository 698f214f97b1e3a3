import type { Readable, Writable } from 'node:stream';
import type { HttpsClient } from '../shared/client/https-client.js';
import type { Clock } from '../shared/clock/clock.js';
import { Failure } from './cluster/failure.js';
import { parseDuration } from './duration.js';
import type { GlobalFlags } from './flags.js';
import { selectedAccess, type Environment } from './kubeconfig.js';
import { ResourceMapper } from './resource-mapper.js';
import { ServerApi } from './server-api.js';

/** What a command has of the world: its streams, its environment, the time. */
export interface Terminal {
  readonly stdin: Readable & { isTTY?: boolean; setRawMode?: (isRaw: boolean) => unknown };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  readonly stderr: Writable;
  readonly env: Environment;
  readonly clock: Clock;
  /** Aborts when the command shall end. */
  readonly signal: AbortSignal;
}

/** A command's connection to the cluster that its flags name; made on first use. */
export class CommandContext {
  readonly terminal: Terminal;
  readonly flags: GlobalFlags;
  #connected: Promise<Connected> | undefined;
  #client: HttpsClient | undefined;
  #mapper: Promise<ResourceMapper> | undefined;
  #warnings = 0;

  constructor(terminal: Terminal, flags: GlobalFlags) {
    this.terminal = terminal;
    this.flags = flags;
  }

  get clock(): Clock {
    return this.terminal.clock;
  }

  get signal(): AbortSignal {
    return this.terminal.signal;
  }

  /** Address of the server, for messages; '' before the first use. */
  get server(): string {
    return this.#client?.server ?? '';
  }

  async client(): Promise<HttpsClient> {
    return (await this.#connect()).client;
  }

  async api(): Promise<ServerApi> {
    return (await this.#connect()).api;
  }

  /** How often the server warned. */
  get warnings(): number {
    return this.#warnings;
  }

  /** Of -n, else of the kubeconfig's context, else `default`. */
  async namespace(): Promise<string> {
    return this.flags.namespace || ((await this.#connect()).namespace ?? 'default');
  }

  /** Resource types of the server, asked for once. */
  mapper(): Promise<ResourceMapper> {
    this.#mapper ??= this.api().then((api) => ResourceMapper.discover(api));
    return this.#mapper;
  }

  print(line: string): void {
    this.terminal.stdout.write(`${line}\n`);
  }

  /** Tells something beside the output. */
  tell(line: string): void {
    this.terminal.stderr.write(`${line}\n`);
  }

  close(): void {
    this.#client?.close();
  }

  #connect(): Promise<Connected> {
    this.#connected ??= this.#open();
    return this.#connected;
  }

  async #open(): Promise<Connected> {
    const [access, { clientFromAccess }] = await Promise.all([
      selectedAccess(this.flags, this.terminal.env),
      import('../shared/client/connect.js'),
    ]);
    const timeoutMs = requestTimeoutMs(this.flags.requestTimeout ?? '0');
    const client = clientFromAccess(access, {
      clock: this.clock,
      userAgent: 'knarr',
      timeoutMs,
      headers: impersonation(this.flags),
    });
    this.#client = client;
    const warn = (message: string): void => {
      this.#warnings++;
      this.tell(`Warning: ${message}`);
    };
    const { namespace } = access;
    return { client, api: new ServerApi(client, warn, this.signal), ...(namespace ? { namespace } : {}) };
  }
}

function requestTimeoutMs(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new Failure(
      'Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)',
    );
  }
}

/** Headers by which an administrator acts as somebody else. */
function impersonation({ as, asUid, asGroup }: GlobalFlags): Record<string, string | string[]> {
  return {
    ...(as === undefined ? {} : { 'impersonate-user': as }),
    ...(asUid === undefined ? {} : { 'impersonate-uid': asUid }),
    ...(asGroup === undefined ? {} : { 'impersonate-group': asGroup }),
  };
}

interface Connected {
  readonly client: HttpsClient;
  readonly api: ServerApi;
  readonly namespace?: string;
}
