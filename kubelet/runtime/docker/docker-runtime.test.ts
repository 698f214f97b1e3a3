import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import { eventually } from '../../../shared/clock/eventually.js';
import { FakeClock } from '../../../shared/clock/fake-clock.js';
import { silentLog } from '../../../shared/log/log.js';
import { containerConfigOf, sandboxConfigOf } from '../../testing/runtime-configs.js';
import { SilentEngine } from '../../testing/silent-engine.js';
import type { RuntimeEvent } from '../container-runtime.js';
import { podLabels } from './docker-label.js';
import { DockerRuntime } from './docker-runtime.js';

const owner = { cluster: 'c', node: 'n' };
const pod = { namespace: 'default', name: 'eater', uid: 'u' };
const labels = podLabels(owner, pod, { name: 'app', attempt: 0, annotations: {} });
/** State by id. What an engine tells of a container never says here that memory was the reason: its events do. */
const containers = new Map<string, 'running' | 'exited'>();

let engine: SilentEngine;
let events: PassThrough;
let runtime: DockerRuntime;
let seen: AsyncIterator<RuntimeEvent>;
let stop: AbortController;
beforeEach(async () => {
  containers.clear();
  events = new PassThrough();
  engine = await SilentEngine.open(answer);
  runtime = new DockerRuntime({ ...owner, host: engine.host, clock: new FakeClock(), log: silentLog });
  stop = new AbortController();
  seen = runtime.events(stop.signal)[Symbol.asyncIterator]();
});
afterEach(async () => {
  stop.abort();
  events.destroy();
  await runtime.close();
  await engine.close();
});

function answer(path: string): unknown {
  if (path.endsWith('/events')) return events;
  if (path.endsWith('/containers/json')) {
    return [...containers].map(([Id, state]) => ({ Id, ImageID: 'i', State: state, Labels: labels }));
  }
  const [, id = ''] = /\/containers\/(\w+)\/json$/.exec(path) ?? [];
  const state = containers.get(id);
  if (!state) return undefined;
  const isRunning = state === 'running';
  const times = { StartedAt: '2026-01-01T00:00:01Z', FinishedAt: isRunning ? '' : '2026-01-01T00:00:02Z' };
  const State = { Status: state, Running: isRunning, OOMKilled: false, ExitCode: 137, Error: '', ...times };
  return { Id: id, Created: '2026-01-01T00:00:00Z', State, Config: {}, HostConfig: {} };
}

const inspections = (id: string): number => engine.requests.filter((line) => line.endsWith(`/${id}/json`)).length;
const isOutOfMemory = async (id: string): Promise<boolean | undefined> =>
  (await runtime.listContainers()).find((container) => container.id === id)?.oomKilled;

/** The engine tells it, and the kubelet has heard of it. */
async function tell(id: string, action: string): Promise<void> {
  events.write(`${JSON.stringify({ Action: action, Actor: { ID: id, Attributes: labels } })}\n`);
  const { value } = (await seen.next()) as { value: RuntimeEvent };
  assert.equal(value.containerId, id);
}

test('a container that ended of memory is known as such when the engine tells it after the end', async () => {
  containers.set('late', 'exited');
  containers.set('other', 'exited');
  assert.equal(await isOutOfMemory('late'), false);
  await tell('late', 'oom');
  assert.equal(await isOutOfMemory('late'), true);
  assert.equal(await isOutOfMemory('other'), false);
  assert.equal(inspections('late'), 1);
});

test('a container that ended of memory is known as such when it is looked at after the engine has told it', async () => {
  containers.set('early', 'running');
  assert.equal(await isOutOfMemory('early'), false);
  await tell('early', 'oom');
  assert.equal(await isOutOfMemory('early'), false, 'a process of it died, and it runs');
  containers.set('early', 'exited');
  await tell('early', 'die');
  assert.equal(await isOutOfMemory('early'), true);
});

test('a container that ended otherwise did not run out of memory', async () => {
  containers.set('killed', 'running');
  await runtime.listContainers();
  containers.set('killed', 'exited');
  await tell('killed', 'die');
  assert.equal(await isOutOfMemory('killed'), false);
});

test('a container that asks for an AppArmor profile is not made by an engine that would ignore it', async () => {
  let SecurityOptions = ['name=seccomp,profile=default'];
  engine.answers = (path) => (path.endsWith('/info') ? { SecurityOptions } : answer(path));
  const { security } = containerConfigOf('app:1');
  const create = (appArmorProfile: string): Promise<string> =>
    runtime.createContainer(
      'sandbox',
      containerConfigOf('app:1', { security: { ...security, appArmorProfile } }),
      sandboxConfigOf('pod', 'uid-1'),
    );
  const questions = (path: string): number => engine.requests.filter((line) => line.includes(path)).length;
  await assert.rejects(create('strict'), /^RuntimeError: the engine does not enforce AppArmor profiles/);
  await assert.rejects(create('runtime/default'), /does not enforce/);
  assert.equal(questions('/containers/'), 0);
  create('unconfined').catch(() => undefined);
  await eventually(() => assert.equal(questions('/containers/'), 1));
  assert.equal(questions('/info'), 2);
  SecurityOptions = ['name=apparmor', ...SecurityOptions];
  create('strict').catch(() => undefined);
  await eventually(() => assert.equal(questions('/containers/'), 2));
});
