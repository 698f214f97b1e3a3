import { Agent, request, type AgentOptions, type RequestOptions } from 'node:https';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface ClientOptions extends AgentOptions {
  readonly server: string;
  /** Connections at most. */
  readonly width: number;
  readonly token?: string;
}

export type Call = (method: string, path: string, body?: unknown, contentType?: string) => Promise<Answer>;

/**
 * Plain node:https on purpose: the original's figures and its machine's limits were taken with it, so a leaner client would
 * flatter us in the comparison.
 */
export class Client {
  readonly #url: URL;
  readonly #agentOptions: AgentOptions;
  readonly #agent: Agent;
  readonly #headers: Record<string, string>;

  constructor({ server, width, token, ...agentOptions }: ClientOptions) {
    this.#url = new URL(server);
    this.#agentOptions = { keepAlive: true, ...agentOptions };
    this.#agent = new Agent({ ...this.#agentOptions, maxSockets: width });
    this.#headers = { accept: 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  }

  /** Sends and takes whatever the answer is. */
  readonly call: Call = (method, path, body, contentType = 'application/json') => {
    const data = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const entity = data ? { 'content-type': contentType, 'content-length': data.length } : {};
    return this.#send({ method, path, headers: { ...this.#headers, ...entity } }, data);
  };

  /** Sends and fails unless the answer is a success. */
  readonly must: Call = async (method, path, body, contentType) => {
    const answer = await this.call(method, path, body, contentType);
    if (answer.status < 300) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString('utf8', 0, 300)}`);
  };

  /** GET in a form of its own; fails unless the answer is a success. */
  async accepting(accept: string, path: string): Promise<Answer> {
    const answer = await this.#send({ method: 'GET', path, headers: { ...this.#headers, accept } });
    if (answer.status < 300) return answer;
    throw new Error(`GET ${path}: ${answer.status}`);
  }

  /**
   * Opens a watch on a connection of its own and hands over each line; resolves when the answer begins, with the function that ends it.
   * A stuck watcher reads nothing: its socket is paused for good.
   */
  watch(path: string, onLine: (line: string) => void, options: { isStuck?: boolean } = {}): Promise<() => void> {
    const agent = new Agent({ ...this.#agentOptions, keepAlive: false });
    const { hostname: host, port } = this.#url;
    return new Promise((resolve, reject) => {
      const sent = request({ host, port, path, agent, headers: this.#headers }, (response) => {
        if (response.statusCode !== 200) {
          sent.destroy();
          reject(new Error(`watch ${path}: ${response.statusCode}`));
          return;
        }
        response.on('error', () => undefined);
        if (options.isStuck) response.pause();
        else response.on('data', lineReader(onLine));
        resolve(() => sent.destroy());
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  /** GET whose body is thrown away as it comes; resolves with its length. */
  drain(path: string): Promise<number> {
    const { hostname: host, port } = this.#url;
    return new Promise((resolve, reject) => {
      const sent = request({ host, port, path, agent: this.#agent, headers: this.#headers }, (response) => {
        let bytes = 0;
        response.on('data', (part: Buffer) => (bytes += part.length));
        response.on('end', () => resolve(bytes));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  #send(options: RequestOptions, data?: Buffer): Promise<Answer> {
    const { hostname: host, port } = this.#url;
    return new Promise((resolve, reject) => {
      const sent = request({ ...options, host, port, agent: this.#agent }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(data);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function lineReader(onLine: (line: string) => void): (part: Buffer) => void {
  let rest = '';
  return (part) => {
    rest += part.toString();
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n')) {
      onLine(rest.slice(0, at));
      rest = rest.slice(at + 1);
    }
  };
}
