import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, type Duplex } from 'node:stream';

/** What the engine still answers to a path; undefined leaves the request without an answer, as a deadlock does. A stream is piped. */
export type Answers = (path: string, method: string) => unknown;

/** A socket that takes every request and answers only what it is told to. */
export class SilentEngine {
  /** `METHOD /path` of each request so far. */
  readonly requests: string[] = [];
  answers: Answers;
  readonly #server: Server;
  readonly #directory: string;
  readonly #upgraded = new Set<Duplex>();

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
    server.on('upgrade', (request, socket) => engine.#upgrade(request, socket));
    await new Promise<void>((resolve) => server.listen(join(directory, 'docker.sock'), resolve));
    return engine;
  }

  get host(): string {
    return `unix://${this.#directory}/docker.sock`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** A connection that is answered at all is taken over, and stays open. */
  #upgrade(request: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => socket.destroy());
    this.#upgraded.add(socket);
    if (this.#answerTo(request) === undefined) return;
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
  }

  #answerTo(request: IncomingMessage): unknown {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const method = request.method ?? '';
    this.requests.push(`${method} ${path}`);
    return this.answers(path, method);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const body = this.#answerTo(request);
    if (body === undefined) return;
    response.setHeader('content-type', 'application/json');
    if (body instanceof Readable) {
      response.flushHeaders();
      body.pipe(response);
    } else response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}
