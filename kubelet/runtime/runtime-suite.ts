import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';

import { eventually } from '../../shared/clock/eventually.js';
import type {
  ContainerConfig,
  ContainerRuntime,
  ContainerStatus,
  RuntimeError,
  RuntimeEvent,
  SandboxConfig,
} from './container-runtime.js';
import { containerConfigOf, sandboxConfigOf } from '../testing/runtime-configs.js';
import type { HollowBehaviour } from './hollow/hollow-container.js';

/** A runtime to be tested, with one image that has busybox's shell (or a runtime that pretends so). */
export interface RuntimeHarness {
  readonly runtime: ContainerRuntime;
  readonly image: string;
  readonly podCIDR: string;
  close(): Promise<void>;
}

/** A program of the suite: what a real shell runs, and how a hollow container behaves likewise. */
interface Program {
  readonly command: readonly string[];
  readonly behaviour: HollowBehaviour;
  readonly stdin?: boolean;
}

const shell = (script: string, behaviour: HollowBehaviour): Program => ({ command: ['sh', '-c', script], behaviour });

export const programs = {
  runs: shell('trap "exit 143" TERM; while :; do sleep 0.05; done', {}),
  exits3: shell('exit 3', { exitAfterMs: 0, exitCode: 3 }),
  ignoresStop: shell('trap "" TERM; while :; do sleep 0.05; done', { stopAfterMs: 1e9 }),
  prints: shell('for i in 1 2 3; do echo line $i; sleep 0.01; done; sleep 0.02; echo oops >&2', {
    exitAfterMs: 20,
    output: [
      { stream: 'stdout', line: 'line 1' },
      { stream: 'stdout', line: 'line 2' },
      { stream: 'stdout', line: 'line 3' },
      { stream: 'stderr', line: 'oops' },
    ],
  }),
  absent: {
    command: ['/no/such/program'],
    behaviour: { startError: 'exec: "/no/such/program": no such file or directory' },
  },
  echoes: { command: ['cat'], behaviour: { echoesStdin: true }, stdin: true },
} satisfies Record<string, Program>;

/** The contract of {@link ContainerRuntime}; each implementation passes it. */
export function runtimeSuite(name: string, create: () => Promise<RuntimeHarness>): void {
  describe(name, () => {
    const world = new SuiteWorld(create);
    before(() => world.open());
    after(() => world.close());
    sandboxTests(world);
    containerTests(world);
    outputTests(world);
    streamTests(world);
    imageTests(world);
  });
}

/** The harness and makers of configs with fresh names. */
class SuiteWorld {
  readonly #create: () => Promise<RuntimeHarness>;
  #harness: RuntimeHarness | undefined;
  #count = 0;

  constructor(create: () => Promise<RuntimeHarness>) {
    this.#create = create;
  }

  get harness(): RuntimeHarness {
    assert.ok(this.#harness, 'the harness is open');
    return this.#harness;
  }

  get runtime(): ContainerRuntime {
    return this.harness.runtime;
  }

  async open(): Promise<void> {
    this.#harness = await this.#create();
    await this.runtime.ensureNetwork(this.harness.podCIDR);
  }

  async close(): Promise<void> {
    for (const { id } of await this.runtime.listPodSandboxes()) await this.runtime.removePodSandbox(id);
    await this.runtime.removeNetwork();
    await this.harness.close();
  }

  sandboxConfig(): SandboxConfig {
    const uid = `00000000-0000-4000-8000-${String(++this.#count).padStart(12, '0')}`;
    const annotations = { 'example.com/hash': 'a b "c" = ü' };
    return sandboxConfigOf(`pod-${this.#count}`, uid, { annotations });
  }

  containerConfig(program: Program, overrides: Partial<ContainerConfig> = {}): ContainerConfig {
    return containerConfigOf(this.harness.image, {
      command: program.command,
      stdin: program.stdin ?? false,
      stdinOnce: program.stdin ?? false,
      annotations: { 'example.com/restarts': '0' },
      ...overrides,
    });
  }

  /** A sandbox with one container in it, started. */
  async start(program: Program): Promise<{ sandboxId: string; id: string; sandbox: SandboxConfig }> {
    const sandbox = this.sandboxConfig();
    const sandboxId = await this.runtime.runPodSandbox(sandbox);
    const id = await this.runtime.createContainer(sandboxId, this.containerConfig(program), sandbox);
    await this.runtime.startContainer(id);
    return { sandboxId, id, sandbox };
  }

  status(id: string, state: ContainerStatus['state']): Promise<ContainerStatus> {
    return eventually(async () => {
      const status = await this.runtime.containerStatus(id);
      assert.equal(status?.state, state);
      return status;
    });
  }

  async log(id: string, options: Partial<Parameters<ContainerRuntime['logs']>[1]>): Promise<string> {
    const output = new PassThrough();
    const read = text(output);
    await this.runtime.logs(id, { follow: false, timestamps: false, ...options }, output);
    output.end();
    return read;
  }
}

const rejectsWith = (code: RuntimeError['code'], promise: Promise<unknown>): Promise<void> =>
  assert.rejects(promise, (error: Partial<RuntimeError>) => {
    assert.equal(error.code, code, error.message);
    return true;
  });

function sandboxTests(world: SuiteWorld): void {
  test('a sandbox is ready with an address of the podCIDR, keeps its identity and annotations, and goes', async () => {
    const { runtime } = world;
    const config = world.sandboxConfig();
    const id = await runtime.runPodSandbox(config);
    assert.equal(await runtime.runPodSandbox(config), id, 'running it again is running it once');
    const [status] = await runtime.listPodSandboxes({ podUid: config.pod.uid });
    assert.ok(status);
    assert.deepEqual([status.id, status.pod, status.state], [id, config.pod, 'ready']);
    assert.deepEqual(status.annotations, config.annotations);
    assert.equal(
      status.ips[0]?.split('.').slice(0, 3).join('.'),
      world.harness.podCIDR.split('.').slice(0, 3).join('.'),
    );

    await runtime.stopPodSandbox(id);
    await runtime.stopPodSandbox(id);
    assert.equal((await runtime.listPodSandboxes({ podUid: config.pod.uid }))[0]?.state, 'notReady');
    await runtime.removePodSandbox(id);
    await runtime.removePodSandbox(id);
    assert.deepEqual(await runtime.listPodSandboxes({ podUid: config.pod.uid }), []);
  });

  test('removing a sandbox takes its running containers along', async () => {
    const { sandboxId, id, sandbox } = await world.start(programs.runs);
    await world.runtime.removePodSandbox(sandboxId);
    assert.deepEqual(await world.runtime.listContainers({ podUid: sandbox.pod.uid }), []);
    assert.equal(await world.runtime.containerStatus(id), undefined);
  });

  test('everything of the node is listed, sandboxes and containers, and only that', async () => {
    const { sandboxId, id, sandbox } = await world.start(programs.runs);
    const own = (await world.runtime.listAll()).filter(({ pod }) => pod.uid === sandbox.pod.uid);
    assert.deepEqual(
      own.sort((x, y) => (x.container ?? '').localeCompare(y.container ?? '')),
      [
        { id: sandboxId, pod: sandbox.pod },
        { id, pod: sandbox.pod, container: 'main' },
      ],
    );
    await world.runtime.removePodSandbox(sandboxId);
    assert.deepEqual(
      (await world.runtime.listAll()).filter(({ pod }) => pod.uid === sandbox.pod.uid),
      [],
    );
  });

  test('the pod network can be ensured again, and is not changed while pods use it', async () => {
    await world.runtime.ensureNetwork(world.harness.podCIDR);
    const sandboxId = await world.runtime.runPodSandbox(world.sandboxConfig());
    await rejectsWith('Conflict', world.runtime.ensureNetwork('10.251.77.0/24'));
    await world.runtime.removePodSandbox(sandboxId);
  });
}

function containerTests(world: SuiteWorld): void {
  test('a container is created, runs, stops on the signal, and goes; each verb may be repeated', async () => {
    const { runtime } = world;
    const sandbox = world.sandboxConfig();
    const sandboxId = await runtime.runPodSandbox(sandbox);
    const id = await runtime.createContainer(sandboxId, world.containerConfig(programs.runs), sandbox);
    const created = await world.status(id, 'created');
    assert.deepEqual(
      [created.name, created.attempt, created.pod, created.sandboxId],
      ['main', 0, sandbox.pod, sandboxId],
    );
    assert.deepEqual(created.annotations, { 'example.com/restarts': '0' });

    await runtime.startContainer(id);
    await runtime.startContainer(id);
    const running = await world.status(id, 'running');
    assert.ok(running.startedAtMs !== undefined && running.finishedAtMs === undefined);
    assert.deepEqual(
      (await runtime.listContainers({ podUid: sandbox.pod.uid })).map((c) => [c.id, c.state]),
      [[id, 'running']],
    );

    await runtime.stopContainer(id, 20);
    await runtime.stopContainer(id, 20);
    const stopped = await world.status(id, 'exited');
    assert.equal(stopped.exitCode, 143);
    assert.ok((stopped.finishedAtMs ?? 0) >= running.startedAtMs);
    await runtime.removeContainer(id);
    await runtime.removeContainer(id);
    assert.equal(await runtime.containerStatus(id), undefined);
    await runtime.stopContainer(id, 0);
    await runtime.removePodSandbox(sandboxId);
  });

  test('an exit code is kept, and an exited container is not started again', async () => {
    const { id, sandboxId } = await world.start(programs.exits3);
    assert.equal((await world.status(id, 'exited')).exitCode, 3);
    await rejectsWith('Conflict', world.runtime.startContainer(id));
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('a container that ignores the stop signal is killed when its time is up', async () => {
    const { id, sandboxId } = await world.start(programs.ignoresStop);
    await world.runtime.stopContainer(id, 1);
    assert.equal((await world.status(id, 'exited')).exitCode, 137);
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('what a container may use changes while it runs', async () => {
    const { id, sandboxId } = await world.start(programs.runs);
    const resources = { cpuShares: 204, cpuQuota: 20_000, cpuPeriod: 100_000, memoryLimitBytes: 64 * 2 ** 20 };
    const before = await world.status(id, 'running');
    await world.runtime.updateContainer(id, resources);
    const [after] = await world.runtime.listContainers({ podUid: before.pod.uid });
    assert.deepEqual([after?.state, after?.startedAtMs], ['running', before.startedAtMs]);
    assert.deepEqual({ cpuPeriod: 100_000, ...after?.resources }, resources);
    await rejectsWith('NotFound', world.runtime.updateContainer('0'.repeat(64), resources));
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('a program that is not there is a StartFailed that names it, and the container counts as exited', async () => {
    const sandbox = world.sandboxConfig();
    const sandboxId = await world.runtime.runPodSandbox(sandbox);
    const id = await world.runtime.createContainer(sandboxId, world.containerConfig(programs.absent), sandbox);
    await assert.rejects(world.runtime.startContainer(id), (error: RuntimeError) => {
      assert.equal(error.code, 'StartFailed');
      assert.match(error.message, /^failed to start container "[0-9a-f]{64}": .*exec: "\/no\/such\/program"/);
      return true;
    });
    const status = await world.status(id, 'exited');
    assert.equal(status.exitCode, 127);
    assert.match(status.error ?? '', /no\/such\/program/);
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('a created container is replaced by a second create, one that ran is a Conflict', async () => {
    const sandbox = world.sandboxConfig();
    const sandboxId = await world.runtime.runPodSandbox(sandbox);
    const config = world.containerConfig(programs.runs);
    const first = await world.runtime.createContainer(sandboxId, config, sandbox);
    const second = await world.runtime.createContainer(sandboxId, config, sandbox);
    assert.notEqual(first, second);
    assert.equal(await world.runtime.containerStatus(first), undefined);
    await world.runtime.startContainer(second);
    await rejectsWith('Conflict', world.runtime.createContainer(sandboxId, config, sandbox));
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('events tell that a container started and died, with its pod', async () => {
    const stop = new AbortController();
    const seen: RuntimeEvent[] = [];
    const events = world.runtime.events(stop.signal);
    const reading = (async () => {
      for await (const event of events) seen.push(event);
    })();
    const { id, sandboxId, sandbox } = await world.start(programs.exits3);
    await eventually(() => {
      const types = seen.filter((event) => event.containerId === id).map((event) => event.type);
      assert.deepEqual(types, ['created', 'started', 'died']);
    });
    assert.deepEqual(seen.find((event) => event.containerId === id)?.pod, sandbox.pod);
    stop.abort();
    await reading;
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('statistics tell the containers that run', async () => {
    const { id, sandboxId, sandbox } = await world.start(programs.runs);
    const mine = (await world.runtime.stats()).find((stats) => stats.id === id);
    const status = await world.status(id, 'running');
    assert.deepEqual([mine?.name, mine?.pod], ['main', sandbox.pod]);
    assert.deepEqual([mine?.image, mine?.startedAtMs], [status.image, status.startedAtMs]);
    assert.ok(mine && mine.memoryUsageBytes >= mine.memoryWorkingSetBytes);
    await world.runtime.removePodSandbox(sandboxId);
  });
}

function outputTests(world: SuiteWorld): void {
  test('logs come whole, by tail, by stream, by bytes, with timestamps, and followed to the end', async () => {
    const { id, sandboxId } = await world.start(programs.prints);
    assert.equal(await world.log(id, { follow: true }), 'line 1\nline 2\nline 3\noops\n');
    await world.status(id, 'exited');
    assert.equal(await world.log(id, { tailLines: 2 }), 'line 3\noops\n');
    assert.equal(await world.log(id, { tailLines: 0 }), '');
    assert.equal(await world.log(id, { stream: 'stderr' }), 'oops\n');
    assert.equal(await world.log(id, { limitBytes: 9 }), 'line 1\nli');
    assert.match(
      await world.log(id, { timestamps: true }),
      /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (line \d|oops)\n){4}$/,
    );
    assert.equal(await world.log(id, { sinceMs: Date.now() + 60_000 }), '');
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('following a log ends when the reader aborts', async () => {
    const { id, sandboxId } = await world.start(programs.runs);
    const stop = new AbortController();
    const reading = world.log(id, { follow: true, signal: stop.signal });
    stop.abort();
    assert.equal(await reading, '');
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('the log of an unknown container is NotFound', () => rejectsWith('NotFound', world.log('f'.repeat(64), {})));
}

function streamTests(world: SuiteWorld): void {
  test('attach carries stdin to the process and its output back, and ends with it', async () => {
    const { id, sandboxId } = await world.start(programs.echoes);
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    const output = text(stdout);
    const attached = world.runtime.attach(id, { tty: false, stdin, stdout });
    stdin.write('hello ');
    stdin.end('world\n');
    await attached;
    assert.equal(await output, 'hello world\n');
    assert.equal((await world.status(id, 'exited')).exitCode, 0);
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('attach to a container that has ended is a Conflict', async () => {
    const { id, sandboxId } = await world.start(programs.exits3);
    await world.status(id, 'exited');
    await rejectsWith('Conflict', world.runtime.attach(id, { tty: false, stdout: new PassThrough() }));
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('exec resolves with the exit code and ends its outputs', async () => {
    const { id, sandboxId } = await world.start(programs.runs);
    const stdout = new PassThrough();
    const output = text(stdout);
    assert.equal(await world.runtime.exec(id, { command: ['sh', '-c', 'exit 0'], tty: false, stdout }), 0);
    assert.equal(await output, '');
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('exec into a container that does not run is a Conflict', async () => {
    const { id, sandboxId } = await world.start(programs.exits3);
    await world.status(id, 'exited');
    await rejectsWith('Conflict', world.runtime.exec(id, { command: ['true'], tty: false }));
    await world.runtime.removePodSandbox(sandboxId);
  });
}

function imageTests(world: SuiteWorld): void {
  test('an image is found by its short and its full name; others are undefined or invalid', async () => {
    const { runtime, image } = world.harness;
    const status = await runtime.imageStatus(image);
    assert.ok(status && status.tags.includes(image));
    assert.equal(
      (await runtime.imageStatus(`docker.io/${image.includes('/') ? '' : 'library/'}${image}`))?.id,
      status.id,
    );
    assert.equal((await runtime.imageStatus(status.id))?.id, status.id);
    assert.ok((await runtime.listImages()).some(({ id }) => id === status.id));
    assert.equal(await runtime.imageStatus('no-such-image:1'), undefined);
    await rejectsWith('InvalidImageName', runtime.imageStatus('Not:Valid/Image'));
  });

  test('creating a container of an absent image is ImageNotFound', async () => {
    const sandbox = world.sandboxConfig();
    const sandboxId = await world.runtime.runPodSandbox(sandbox);
    const config = world.containerConfig(programs.runs, { image: 'no-such-image:1' });
    await rejectsWith('ImageNotFound', world.runtime.createContainer(sandboxId, config, sandbox));
    await world.runtime.removePodSandbox(sandboxId);
  });

  test('the engine tells its name, processors and memory', async () => {
    const version = await world.runtime.version();
    assert.ok(version.name && version.version && version.cpus > 0 && version.memoryBytes > 0);
  });
}
