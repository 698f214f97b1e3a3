import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { systemClock } from '../../../shared/clock/clock.js';
import { eventually } from '../../../shared/clock/eventually.js';
import { silentLog } from '../../../shared/log/log.js';
import type { RuntimeError, RuntimeEvent } from '../container-runtime.js';
import { containerConfigOf, sandboxConfigOf } from '../../testing/runtime-configs.js';
import { busyboxImage } from './busybox-image.js';
import { DockerRuntime } from './docker-runtime.js';

/** An engine of its own, without rules in the host's tables, that can be ended and started again. Needs root and dockerd. */
class PrivateEngine {
  readonly #folder: string;
  #process: ChildProcess | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get host(): string {
    return `unix://${this.#folder}/docker.sock`;
  }

  async start(liveRestore: boolean): Promise<void> {
    const at = (name: string): string => join(this.#folder, name);
    const folders = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid'), '-H', this.host];
    const network = ['--bridge', 'none', '--iptables=false', '--ip-masq=false'];
    const args = [...folders, ...network, ...(liveRestore ? ['--live-restore'] : [])];
    await this.#spawn(args, 5);
  }

  /** As a service manager does: started again when it fails to start, e.g. because its containerd was busy. */
  async #spawn(args: readonly string[], tries: number): Promise<void> {
    const running = spawn('dockerd', args, { stdio: 'ignore' });
    this.#process = running;
    running.once('exit', (code) => {
      if (code && tries > 1) this.#spawn(args, tries - 1).catch(() => undefined);
    });
    await once(running, 'spawn');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.#process;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  }
}

const IMAGE = 'knarr-test/busybox:1';
const sandbox = sandboxConfigOf('web', '20000000-0000-4000-8000-000000000001');
const container = containerConfigOf(IMAGE, {
  command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'],
});

let folder: string;
let engine: PrivateEngine;
let runtime: DockerRuntime;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-'));
  engine = new PrivateEngine(folder);
  runtime = new DockerRuntime({
    host: engine.host,
    cluster: 'drill',
    node: 'node-1',
    clock: systemClock,
    log: silentLog,
  });
});
after(async () => {
  await engine.end('SIGTERM');
  // An engine that was killed leaves its data mounted on itself.
  await promisify(execFile)('umount', ['-l', join(folder, 'data')]).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
});

const isUnavailable = (error: RuntimeError): boolean => error.code === 'Unavailable';
const answers = (): Promise<unknown> => eventually(() => runtime.version(), 30_000, 100);

test('before the engine runs, every verb says in one sentence what to do', async () => {
  await assert.rejects(runtime.listContainers(), (error: RuntimeError) => {
    assert.match(error.message, /^cannot reach the Docker Engine at unix:.*; start it with: systemctl start docker$/);
    return isUnavailable(error);
  });
});

for (const { signal, liveRestore } of [
  { signal: 'SIGTERM', liveRestore: false },
  { signal: 'SIGKILL', liveRestore: false },
  { signal: 'SIGKILL', liveRestore: true },
] as const) {
  test(`an engine that ends by ${signal}, live-restore ${liveRestore ? 'on' : 'off'}, is Unavailable, then recovered from`, async () => {
    await engine.start(liveRestore);
    await answers();
    await runtime.loadImage(await busyboxImage(IMAGE));
    await runtime.ensureNetwork('10.250.9.0/24');
    const sandboxId = await runtime.runPodSandbox(sandbox);
    const id = await runtime.createContainer(sandboxId, container, sandbox);
    await runtime.startContainer(id);
    const ended = assert.rejects(collect(runtime.events(new AbortController().signal)), isUnavailable);

    await engine.end(signal);
    await ended;
    await assert.rejects(runtime.listContainers(), isUnavailable);
    await assert.rejects(runtime.startContainer(id), isUnavailable);

    await engine.start(liveRestore);
    await answers();
    const state = liveRestore ? 'running' : 'exited';
    await eventually(async () => assert.equal((await runtime.containerStatus(id))?.state, state), 10_000);
    assert.deepEqual(
      (await runtime.listContainers()).map((one) => one.state),
      [state],
    );
    await runtime.removePodSandbox(sandboxId);
    assert.deepEqual(await runtime.listPodSandboxes(), []);
    await engine.end('SIGTERM');
  });
}

async function collect(events: AsyncIterable<RuntimeEvent>): Promise<RuntimeEvent[]> {
  const seen: RuntimeEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}
