import { command } from './command.js';
import { type EngineOptions, Host } from './host.js';

let counter = 0;

/** A set of machines on one link, in network namespaces of this test. */
export class Lab {
  readonly name: string;
  readonly hosts: readonly Host[];

  private constructor(name: string, hosts: readonly Host[]) {
    this.name = name;
    this.hosts = hosts;
  }

  /** Makes a switch in a namespace of its own and `count` hosts with running engines. */
  static async create(count: number, options: { engines?: boolean; engine?: EngineOptions } = {}): Promise<Lab> {
    const name = `kn${process.pid % 100_000}${String.fromCharCode(97 + (counter++ % 26))}`;
    await command(['ip', 'netns', 'add', `${name}-sw`]);
    await command(['ip', '-n', `${name}-sw`, 'link', 'add', 'lab0', 'type', 'bridge']);
    // The switch is also the hosts' way out: a gateway that answers nothing.
    await command(['ip', '-n', `${name}-sw`, 'addr', 'add', '192.168.77.254/24', 'dev', 'lab0']);
    await command(['ip', '-n', `${name}-sw`, 'link', 'set', 'lab0', 'up']);
    const hosts: Host[] = [];
    const lab = new Lab(name, hosts);
    try {
      for (let index = 1; index <= count; index++) hosts.push(await Host.create(name, index, options.engine));
      if (options.engines ?? true) await Promise.all(hosts.map((host) => host.startEngine()));
    } catch (error) {
      await lab.destroy();
      throw error;
    }
    return lab;
  }

  /** The host at a position; throws when there is none. */
  host(position: number): Host {
    const host = this.hosts[position];
    if (!host) throw new Error(`the lab has no host ${position}`);
    return host;
  }

  async destroy(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.destroy()));
    await command(['ip', 'netns', 'del', `${this.name}-sw`]);
  }
}
