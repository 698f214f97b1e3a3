import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the engine still answers to a path; undefined leaves the request without an answer, as a deadlock does. */
export type Answers = (path: string, method: string) => unknown;

/** A socket that takes every request and answers only what it is told to. */
export class SilentEngine {
  /** `METHOD /path` of each request so far. */
  readonly requests: string[] = [];
  answers: Answers;
  readonly #server: Server;
  readonly #directory: string;

  private constructor(server: Server, directory: string, answers: Answers) {
    this.#server = server;
    this.#directory = directory;
    this.answers = answers;
  }

  static async open(answers: Answers = () => undefined): Promise<SilentEngine> {
    const directory = await mkdtemp(join(tmpdir(), 'silent-engine-'));
    const server = createServer();
    const engine = new SilentEngine(server, directory, answers);
    server.on('request', (request, response) => engine.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(join(directory, 'docker.sock'), resolve));
    return engine;
  }

  get host(): string {
    return `unix://${this.#directory}/docker.sock`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#directory, { recursive: true, force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const method = request.method ?? '';
    this.requests.push(`${method} ${path}`);
    const body = this.answers(path, method);
    if (body === undefined) return;
    response.setHeader('content-type', 'application/json');
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}
