import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Lease } from '../api/generated/types.js';
import type { Client } from '../client/client.js';
import { startScriptedServer } from '../client/testing/scripted-server.js';
import { eventually } from '../clock/eventually.js';
import { FakeClock } from '../clock/fake-clock.js';
import { silentLog } from '../log/log.js';
import { LeaderElector } from './leader-election.js';

interface Candidate {
  readonly leading: boolean;
  readonly ended: string | undefined;
  stop(): void;
}
interface World {
  /** Lets time pass in small steps, between which every request is answered. */
  pass: (ms: number) => Promise<void>;
  lease: () => Lease | undefined;
  /** While false, the server answers 500. */
  setHealthy: (healthy: boolean) => void;
  candidate: (identity: string) => Candidate;
  /** A Lease whose holder renewed it just now, for the last time. */
  seed: (holderIdentity: string) => void;
}

/** A server that keeps one Lease with optimistic concurrency. */
async function world(t: TestContext): Promise<World> {
  const clock = new FakeClock();
  let lease: Lease | undefined;
  let healthy = true;
  let version = 1;
  const server = await startScriptedServer((request) => {
    const failure = (code: number, reason: string): void => request.json(code, { kind: 'Status', code, reason });
    if (!healthy) return failure(500, 'InternalError');
    if (request.method === 'GET') return lease ? request.json(200, lease) : failure(404, 'NotFound');
    const given = JSON.parse(request.body) as Lease;
    if (request.method === 'POST' && lease) return failure(409, 'AlreadyExists');
    if (request.method === 'PUT' && given.metadata.resourceVersion !== lease?.metadata.resourceVersion) {
      return failure(409, 'Conflict');
    }
    lease = { ...given, metadata: { ...given.metadata, resourceVersion: String(version++) } };
    request.json(200, lease);
  });
  let unanswered = 0;
  const counting = (client: Client): Client =>
    new Proxy(client, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          unanswered++;
          try {
            return (await Reflect.apply(value, target, args)) as unknown;
          } finally {
            unanswered--;
          }
        };
      },
    });
  const stops: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const stop of stops) await stop();
    await server.close();
  });
  return {
    pass: async (ms) => {
      for (let passed = 0; passed < ms; passed += 500) {
        await clock.advance(500);
        await eventually(() => assert.equal(unanswered, 0), 20_000, 1);
      }
    },
    lease: () => lease,
    setHealthy: (value) => {
      healthy = value;
    },
    seed: (holderIdentity) => {
      const metadata = {
        name: 'test',
        namespace: 'kube-system',
        uid: 'u',
        creationTimestamp: '',
        resourceVersion: '0',
      };
      const spec = { holderIdentity, leaseDurationSeconds: 15, renewTime: new Date(clock.now()).toISOString() };
      lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    },
    candidate: (identity) => {
      const state = { leading: false, ended: undefined as string | undefined, stop: () => abort.abort() };
      const abort = new AbortController();
      const elector = new LeaderElector({
        client: counting(server.client()),
        clock,
        random: () => 0,
        log: silentLog,
        namespace: 'kube-system',
        name: 'test',
        identity,
      });
      const running = elector
        .run(abort.signal, async (signal) => {
          state.leading = true;
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          state.leading = false;
        })
        .then(
          () => {
            state.ended = 'released';
          },
          (error: Error) => {
            state.ended = error.name;
          },
        );
      stops.push(async () => {
        abort.abort();
        await running;
      });
      return state;
    },
  };
}

test('one of two leads, and its release lets the other take over at its next attempt', async (t) => {
  const { pass, candidate, lease } = await world(t);
  const a = candidate('a');
  await eventually(() => assert.ok(a.leading));
  const b = candidate('b');
  await pass(20_000);
  assert.deepEqual([a.leading, b.leading], [true, false]);
  a.stop();
  await eventually(() => assert.equal(a.ended, 'released'));
  assert.equal(lease()?.spec?.holderIdentity, '');
  await pass(2_500);
  await eventually(() => assert.ok(b.leading));
  assert.equal(lease()?.spec?.leaseTransitions, 1);
});

test('a leader that cannot renew gives up before another may take over', async (t) => {
  const { pass, candidate, setHealthy } = await world(t);
  const a = candidate('a');
  await eventually(() => assert.ok(a.leading));
  setHealthy(false);
  await pass(9_000);
  assert.equal(a.leading, true);
  await pass(4_500);
  await eventually(() => assert.equal(a.ended, 'LeadershipLostError'));
  assert.equal(a.leading, false);
});

test('the Lease of a dead leader is taken only after it was seen unchanged for its whole duration', async (t) => {
  const { pass, candidate, seed } = await world(t);
  seed('dead');
  const b = candidate('b');
  await pass(14_000);
  assert.equal(b.leading, false);
  await pass(4_000);
  await eventually(() => assert.ok(b.leading));
});
