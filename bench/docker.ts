import { Agent, request } from 'node:http';

/** What inspecting a container tells, as far as it is needed to make another one like it. */
export interface Inspected {
  readonly Config: Readonly<Record<string, unknown>>;
  readonly HostConfig: Readonly<Record<string, unknown>>;
}

/** The few calls of the Docker Engine's API that a person would make by hand. */
export class Docker {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async create(container: object): Promise<string> {
    return ((await this.#call('POST', '/containers/create', container)) as { Id: string }).Id;
  }

  async start(id: string): Promise<void> {
    await this.#call('POST', `/containers/${id}/start`);
  }

  async remove(id: string): Promise<void> {
    await this.#call('DELETE', `/containers/${id}?force=true`);
  }

  /** Ids of the containers that carry a label, e.g. `io.kubernetes.pod.name=a`. */
  async list(label: string): Promise<string[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    return ((await this.#call('GET', `/containers/json?all=true&filters=${filters}`)) as { Id: string }[]).map(
      ({ Id }) => Id,
    );
  }

  async inspect(id: string): Promise<Inspected> {
    return (await this.#call('GET', `/containers/${id}/json`)) as Inspected;
  }

  close(): void {
    this.#agent.destroy();
  }

  #call(method: string, path: string, body?: object): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: this.#socketPath, agent: this.#agent, method, path, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          if ((response.statusCode ?? 500) >= 300) reject(new Error(`${method} ${path}: ${text}`));
          else resolve(text === '' ? undefined : JSON.parse(text));
        });
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
