import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Pod, Service } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { command, type CommandOptions } from '../lab/command.js';
import type { EngineOptions, Host } from '../lab/host.js';
import { importToolbox } from '../lab/images.js';
import { Lab } from '../lab/lab.js';

export interface ComposeOptions {
  /** Compose as a plugin of the docker command: `docker compose`. Otherwise it is docker-compose of PATH. */
  readonly plugin?: string;
  readonly engine?: EngineOptions;
}

/** The cluster of docker-compose.yml on a host of its own, with the Deployment and Service `web` once they are applied. */
export class ComposeCluster {
  readonly host: Host;
  readonly #lab: Lab;
  readonly #compose: readonly string[];
  #nodePort: number | undefined;

  private constructor(lab: Lab, compose: readonly string[]) {
    this.#lab = lab;
    this.host = lab.host(0);
    this.#compose = compose;
  }

  /** Makes the image's content, and starts everything. */
  static async start({ plugin, engine }: ComposeOptions = {}): Promise<ComposeCluster> {
    await command([process.execPath, 'dist/scripts/compose-image.js']);
    const lab = await Lab.create(1, engine ? { engine } : {});
    const cluster = new ComposeCluster(lab, plugin === undefined ? ['docker-compose'] : ['docker', 'compose']);
    try {
      if (plugin !== undefined) {
        const plugins = join(lab.host(0).directory, 'home', '.docker', 'cli-plugins');
        mkdirSync(plugins, { recursive: true });
        symlinkSync(plugin, join(plugins, 'docker-compose'));
      }
      await importToolbox(cluster.host.dockerSocket);
      await cluster.compose(['up', '-d']);
    } catch (error) {
      await lab.destroy();
      throw error;
    }
    return cluster;
  }

  async compose(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const env = { KNARR_DOCKER_SOCKET: this.host.dockerSocket };
    const argv = [...this.#compose, '-p', 'knarr', '-f', resolve('docker-compose.yml'), ...args];
    return (await this.host.run(argv, { timeoutMs: 180_000, ...options, env })).stdout;
  }

  async docker(...args: readonly string[]): Promise<string> {
    return (await this.host.run(['docker', ...args], { timeoutMs: 120_000 })).stdout.trim();
  }

  async kubectl(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return (await this.host.run(['kubectl', ...args], { timeoutMs: 90_000, ...options })).stdout;
  }

  async get<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl(['get', '-o', 'json', ...args])) as T;
  }

  /** Of one that has ended, too. */
  async containerOf(service: string): Promise<string> {
    return (await this.compose(['ps', '-aq', service])).trim();
  }

  /** Pods of the Deployment with the containers that they run in. */
  async pods(): Promise<string[]> {
    const { items } = await this.get<{ items: Pod[] }>('pods', '-l', 'app=web');
    return items.map((pod) => {
      const [container] = pod.status?.containerStatuses ?? [];
      return `${pod.metadata?.name} ${container?.containerID} ${container?.restartCount}`;
    });
  }

  async assertServed(): Promise<void> {
    this.#nodePort ??= (await this.get<Service>('service', 'web')).spec?.ports?.[0]?.nodePort;
    const url = `http://${this.host.address}:${this.#nodePort}/`;
    assert.equal(await eventually(() => this.fetch(url), 10_000, 200), 'the page\n');
  }

  async fetch(url: string): Promise<string> {
    return (await this.host.run(['curl', '-sSf', '-m', '5', url])).stdout;
  }

  destroy(): Promise<void> {
    return this.#lab.destroy();
  }
}
