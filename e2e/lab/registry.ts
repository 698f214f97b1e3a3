import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../shared/clock/eventually.js';
import type { Host } from './host.js';

export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

/** An image registry on a host's loopback, where engines accept one without TLS. */
export class Registry {
  /** First part of the names of its images. */
  readonly server: string;
  readonly #host: Host;
  readonly #process: ChildProcess;

  private constructor(host: Host, server: string, process: ChildProcess) {
    this.#host = host;
    this.server = server;
    this.#process = process;
  }

  /** With a login, nobody else may read or write. */
  static async start(host: Host, port: number, login?: RegistryLogin): Promise<Registry> {
    const directory = join(host.directory, `registry-${port}`);
    mkdirSync(directory);
    const server = `127.0.0.1:${port}`;
    const passwords = join(directory, 'htpasswd');
    if (login) {
      const { stdout } = await host.run(['htpasswd', '-Bbn', login.username, login.password]);
      writeFileSync(passwords, stdout);
    }
    const config = {
      version: '0.1',
      storage: { filesystem: { rootdirectory: join(directory, 'data') } },
      http: { addr: server },
      ...(login ? { auth: { htpasswd: { realm: 'tests', path: passwords } } } : {}),
    };
    writeFileSync(join(directory, 'config.yml'), JSON.stringify(config));
    const process = host.spawn(['docker-registry', 'serve', join(directory, 'config.yml')], `registry-${port}.log`);
    const registry = new Registry(host, server, process);
    await eventually(() => host.run(['curl', '-sS', '-m', '2', `http://${server}/v2/`]), 20_000, 100);
    if (login)
      await host.run(['docker', 'login', '-u', login.username, '--password-stdin', server], { input: login.password });
    return registry;
  }

  /** Pushes an image of the engine under a name of this registry and removes that name from the engine. Resolves with the digest. */
  async push(image: string, name: string): Promise<string> {
    const target = `${this.server}/${name}`;
    await this.#host.run(['docker', 'tag', image, target]);
    const { stdout } = await this.#host.run(['docker', 'push', target]);
    await this.#host.run(['docker', 'rmi', target]);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1];
    if (!digest) throw new Error(`docker push told no digest: ${stdout}`);
    return digest;
  }

  stop(): void {
    this.#process.kill();
  }
}
