import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverWorld } from '../../apiserver/testing/server-world.js';
import { systemClock, type Clock } from '../../shared/clock/clock.js';
import { run } from '../testing/run.js';

const world = serverWorld();

/** The system's clock, but that it shows another time. */
const showing = (time: string): Clock =>
  Object.create(systemClock, { now: { value: () => Date.parse(time) } }) as Clock;

test('a second restart within the same second is refused, for it would change nothing', async () => {
  const knarr = (line: string, time = '2026-03-01T10:00:00.900Z'): ReturnType<typeof run> =>
    run(line.split(' '), world.server.kubeconfigPath, '', { clock: showing(time) });
  await knarr('create deployment web --image=web:1');
  assert.equal((await knarr('rollout restart deploy/web')).stdout, 'deployment.apps/web restarted\n');
  const again = await knarr('rollout restart deploy/web', '2026-03-01T10:00:00.100Z');
  assert.equal(
    again.stderr,
    'error: failed to create patch for web: if restart has already been triggered within the past second, please wait before attempting to trigger another\n',
  );
  assert.equal(again.exitCode, 1);
  assert.equal((await knarr('rollout restart deploy/web', '2026-03-01T10:00:01Z')).exitCode, 0);
});
