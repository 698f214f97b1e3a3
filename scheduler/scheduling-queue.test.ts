import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../shared/clock/fake-clock.js';
import { toPodInfo } from './pod-info.js';
import { SchedulingQueue } from './scheduling-queue.js';
import { pod } from './testing/objects.js';
import { changesThatHelp } from './wake.js';

const info = (name: string, priority = 0) => toPodInfo(pod(name, { priority }));
function setup(): { clock: FakeClock; queue: SchedulingQueue; taken: () => string | undefined } {
  const clock = new FakeClock();
  const queue = new SchedulingQueue({ clock, onReady: () => undefined });
  return { clock, queue, taken: () => queue.take()?.info.key };
}
const take = (queue: SchedulingQueue) => {
  const attempt = queue.take();
  assert.ok(attempt);
  return attempt;
};

test('higher priority comes first, then the earlier', () => {
  const { queue, taken } = setup();
  for (const p of [info('a'), info('b', 5), info('c'), info('d', 5)]) queue.add(p);
  assert.deepEqual(
    [taken(), taken(), taken(), taken(), taken()],
    ['default/b', 'default/d', 'default/a', 'default/c', undefined],
  );
});

test('a refused pod sleeps through changes that cannot help and backs off longer each time', async () => {
  const { clock, queue, taken } = setup();
  queue.add(info('a'));
  const wakeOn = changesThatHelp(['Insufficient cpu']);
  queue.refuse(take(queue), wakeOn);
  queue.notice('NodeLabelsOrTaintsChanged');
  await clock.advance(20_000);
  assert.equal(taken(), undefined);
  for (const backoffMs of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    queue.notice('PodGone');
    await clock.advance(backoffMs - 1);
    assert.equal(taken(), undefined, `before ${backoffMs} ms`);
    await clock.advance(1);
    queue.refuse(take(queue), wakeOn);
  }
});

test('a change during the attempt is not lost', async () => {
  const { clock, queue, taken } = setup();
  queue.add(info('a'));
  const attempt = take(queue);
  queue.notice('NodeAdded');
  queue.refuse(attempt, changesThatHelp(['Insufficient cpu']));
  await clock.advance(1000);
  assert.equal(taken(), 'default/a');
});

test('a pod removed while it is tried does not come back', async () => {
  const { clock, queue, taken } = setup();
  queue.add(info('a'));
  const attempt = take(queue);
  queue.remove('default/a');
  queue.retry(attempt);
  await clock.advance(60_000);
  assert.equal(taken(), undefined);
  queue.add(info('a'));
  assert.equal(taken(), 'default/a');
});

test('a pod that waited for five minutes is tried again', async () => {
  const { clock, queue, taken } = setup();
  queue.add(info('a'));
  queue.refuse(take(queue), changesThatHelp(['Insufficient cpu']));
  await clock.advance(299_000);
  queue.flushStale();
  assert.equal(taken(), undefined);
  await clock.advance(1000);
  queue.flushStale();
  assert.equal(taken(), 'default/a');
});
