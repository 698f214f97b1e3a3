import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { eventually } from '../../shared/clock/eventually.js';
import { command, type CommandOptions, type CommandResult } from './command.js';

const engineStartMs = 60_000;

/** Another engine than the one on PATH, and how it is set. */
export interface EngineOptions {
  /** A folder with dockerd, all that it starts, and docker; what is not there is the system's. */
  readonly programs?: string;
  /** Further fields of its daemon.json. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A machine of the lab: a network namespace with addresses, a home and a Docker Engine of its own. */
export class Host {
  readonly name: string;
  readonly directory: string;
  /** Address on the link between the lab's hosts. */
  readonly address: string;
  readonly #index: number;
  readonly #engineOptions: EngineOptions;
  #engine: ChildProcess | undefined;

  private constructor(name: string, index: number, directory: string, engine: EngineOptions) {
    this.name = name;
    this.#index = index;
    this.#engineOptions = engine;
    this.directory = directory;
    this.address = `192.168.77.${index}`;
  }

  /** Makes the namespace with loopback and a veth pair to the lab's switch, whose default route leads nowhere outside. */
  static async create(lab: string, index: number, engine: EngineOptions = {}): Promise<Host> {
    const name = `${lab}-h${index}`;
    const host = new Host(name, index, mkdtempSync(join(tmpdir(), `${name}-`)), engine);
    mkdirSync(join(host.directory, 'home'));
    await host.#shareEngineRoot();
    await command(['ip', 'netns', 'add', name]);
    await host.ip('link', 'set', 'lo', 'up');
    const end = `${name}e`.slice(-15);
    await command(['ip', '-n', `${lab}-sw`, 'link', 'add', end, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
    await command(['ip', '-n', `${lab}-sw`, 'link', 'set', end, 'master', 'lab0', 'up']);
    await host.ip('addr', 'add', `${host.address}/24`, 'dev', 'eth0');
    await host.ip('link', 'set', 'eth0', 'up');
    await host.ip('route', 'add', 'default', 'via', '192.168.77.254');
    await host.run(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    return host;
  }

  /**
   * Mounts the engine's root shared, as below the root of a machine with systemd. Otherwise the engine itself mounts it over
   * itself and away again as it ends; what a container mounts in between can never be unmounted, nor the container removed.
   */
  async #shareEngineRoot(): Promise<void> {
    mkdirSync(this.#engineRoot);
    await command(['mount', '--bind', this.#engineRoot, this.#engineRoot]);
    await command(['mount', '--make-shared', this.#engineRoot]);
  }

  get #engineRoot(): string {
    return join(this.directory, 'docker');
  }

  get dockerSocket(): string {
    return join(this.directory, 'docker.sock');
  }

  get kubeconfig(): string {
    return join(this.directory, 'home', '.kube', 'config');
  }

  get env(): NodeJS.ProcessEnv {
    const { SUDO_USER: _, PATH = '', ...rest } = process.env;
    const { programs } = this.#engineOptions;
    return {
      ...rest,
      PATH: programs === undefined ? PATH : `${programs}${delimiter}${PATH}`,
      HOME: join(this.directory, 'home'),
      KUBECONFIG: this.kubeconfig,
      DOCKER_HOST: `unix://${this.dockerSocket}`,
    };
  }

  /** argv that runs inside this host's network. */
  inside(argv: readonly string[]): string[] {
    return ['nsenter', `--net=/run/netns/${this.name}`, ...argv];
  }

  run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return command(this.inside(argv), { ...options, env: { ...this.env, ...options.env } });
  }

  /** Starts a program that goes on; the caller ends it. Output goes to `log` below the host's folder. */
  spawn(argv: readonly string[], log: string): ChildProcess {
    const [file = '', ...args] = this.inside(argv);
    const output = openSync(join(this.directory, log), 'a');
    return spawn(file, args, { env: this.env, stdio: ['ignore', output, output] });
  }

  ip(...args: readonly string[]): Promise<CommandResult> {
    return command(['ip', '-n', this.name, ...args]);
  }

  /** Starts the engine and waits until it answers. */
  async startEngine(options: { liveRestore?: boolean } = {}): Promise<void> {
    const config = join(this.directory, 'daemon.json');
    writeFileSync(
      config,
      JSON.stringify({ ...this.#engineOptions.config, 'live-restore': options.liveRestore ?? false }),
    );
    const files = [
      '--data-root',
      this.#engineRoot,
      '--exec-root',
      join(this.directory, 'exec'),
      '--pidfile',
      join(this.directory, 'docker.pid'),
    ];
    const network = ['--bip', `172.30.${this.#index}.1/24`];
    this.#engine = this.spawn(
      ['dockerd', '--config-file', config, '-H', `unix://${this.dockerSocket}`, ...files, ...network],
      'dockerd.log',
    );
    await eventually(() => ping(this.dockerSocket), engineStartMs, 100).catch((error: unknown) => {
      const log = readFileSync(join(this.directory, 'dockerd.log'), 'utf8').slice(-2000);
      throw new Error(`the engine of ${this.name} did not start: ${log}`, { cause: error });
    });
  }

  /** Ends the engine with a signal and waits for its end. */
  async stopEngine(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    if (!engine || engine.exitCode !== null || engine.signalCode !== null) return;
    const ended = new Promise((resolve) => engine.once('exit', resolve));
    engine.kill(signal);
    const timer = setTimeout(() => engine.kill('SIGKILL'), 30_000);
    await ended;
    clearTimeout(timer);
  }

  async destroy(): Promise<void> {
    await this.stopEngine();
    await command(['ip', 'netns', 'del', this.name]);
    await command([
      'bash',
      '-c',
      `awk '{print $2}' /proc/mounts | grep '^${this.directory}/' | sort -r | xargs -r umount -l`,
    ]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function ping(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: '/_ping', timeout: 2000 }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`the engine answered ${response.statusCode}`));
    });
    call.once('error', reject);
    call.once('timeout', () => call.destroy(new Error('the engine does not answer')));
    call.end();
  });
}
