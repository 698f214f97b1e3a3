import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allocate, levelLimits } from './concurrency-limits.js';
import { FairQueues, type RejectReason, type Seat, type Waiting } from './fair-queues.js';
import { SeatDemand } from './seat-demand.js';
import { Dealer } from './shuffle-sharding.js';
import { MANDATORY_PRIORITY_LEVELS, SUGGESTED_PRIORITY_LEVELS } from '../kinds/flow-objects.js';

const queuing = (queues = 64, handSize = 6, queueLengthLimit = 50) => ({
  dealer: new Dealer(queues, handSize, 1),
  queueLengthLimit,
});

const isSeat = (entered: Seat | Waiting | RejectReason): entered is Seat =>
  typeof entered !== 'string' && 'release' in entered;
const isWaiting = (entered: Seat | Waiting | RejectReason): entered is Waiting =>
  typeof entered !== 'string' && 'turn' in entered;

function seat(entered: Seat | Waiting | RejectReason): Seat {
  assert.ok(isSeat(entered));
  return entered;
}

test('a flow is always dealt the same hand, of different queues, and flows differ', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(),
      (flow, queues, handSize, seed) => {
        const hand = new Dealer(queues, handSize, seed).deal(flow);
        assert.deepEqual(hand, new Dealer(queues, handSize, seed).deal(flow));
        assert.equal(hand.length, Math.min(queues, handSize));
        assert.equal(new Set(hand).size, hand.length);
        assert.ok(hand.every((queue) => queue >= 0 && queue < queues));
      },
    ),
  );
  const dealer = new Dealer(128, 6, 7);
  const hands = new Set(Array.from({ length: 200 }, (_, i) => dealer.deal(`user-${i}`).join()));
  assert.ok(hands.size > 195, `${hands.size} hands for 200 flows`);
});

test('queues are dealt evenly', () => {
  const dealer = new Dealer(16, 4, 3);
  const counts = Array.from({ length: 16 }, () => 0);
  for (let i = 0; i < 4_000; i++)
    for (const queue of dealer.deal(`flow ${i}`)) counts[queue] = (counts[queue] ?? 0) + 1;
  assert.ok(Math.min(...counts) > 850 && Math.max(...counts) < 1150, counts.join());
});

test('without queues whoever finds no seat is refused', () => {
  const queues = new FairQueues(2, undefined);
  const first = seat(queues.enter('a', 1, 0));
  seat(queues.enter('b', 1, 0));
  assert.equal(queues.enter('c', 1, 0), 'concurrency-limit');
  first.release(1);
  first.release(1);
  seat(queues.enter('c', 1, 1));
  assert.equal(queues.enter('d', 1, 1), 'concurrency-limit');
});

test('a flow that fills its queues is refused, and another is not', async () => {
  const queues = new FairQueues(1, queuing(64, 2, 3));
  const running = seat(queues.enter('greedy', 1, 0));
  const waiting: Waiting[] = [];
  let refused = 0;
  for (let i = 0; i < 20; i++) {
    const entered = queues.enter('greedy', 1, 0);
    if (isWaiting(entered)) waiting.push(entered);
    else assert.equal(entered, 'queue-full');
    if (entered === 'queue-full') refused += 1;
  }
  assert.deepEqual([waiting.length, refused], [6, 14]);
  const other = queues.enter('other', 1, 1);
  assert.ok(isWaiting(other));
  running.release(2);
  // One of the greedy flow's two queues had its turn, so the other flow is among the next two.
  const order: string[] = [];
  void other.turn.then(() => order.push('other'));
  for (const one of waiting) void one.turn.then(() => order.push('greedy'));
  for (let round = 3; round < 10; round++) {
    await Promise.resolve();
    const at = order.length;
    for (const one of [other, ...waiting]) {
      const turn = await Promise.race([one.turn, Promise.resolve(undefined)]);
      turn?.release(round);
    }
    await Promise.resolve();
    if (order.length === at) break;
  }
  assert.ok(order.indexOf('other') >= 0 && order.indexOf('other') <= 2, order.join());
});

test('over time two flows get the same number of seats, however many requests one of them has waiting', async () => {
  const queues = new FairQueues(4, queuing(64, 1, 1000));
  const served = { greedy: 0, modest: 0 };
  const ends: { at: number; seat: Seat }[] = [];
  const enter = (flow: 'greedy' | 'modest', now: number): void => {
    const entered = queues.enter(flow, 1, now);
    const begin = (turn: Seat): void => {
      served[flow] += 1;
      ends.push({ at: clock + 10, seat: turn });
    };
    if (isSeat(entered)) begin(entered);
    else if (isWaiting(entered)) void entered.turn.then((turn) => turn && begin(turn));
  };
  let clock = 0;
  for (let i = 0; i < 900; i++) enter('greedy', 0);
  for (let i = 0; i < 200; i++) enter('modest', 0);
  for (clock = 1; clock <= 600; clock++) {
    for (const end of ends.splice(0)) {
      if (end.at <= clock) end.seat.release(clock);
      else ends.push(end);
    }
    await Promise.resolve();
    await Promise.resolve();
  }
  const total = served.greedy + served.modest;
  assert.ok(total > 200, String(total));
  assert.ok(Math.abs(served.greedy - served.modest) <= 8, JSON.stringify(served));
});

test('seats are given back exactly once and never exceeded, whatever happens', async () => {
  const action = fc.oneof(
    fc.record({ do: fc.constant('enter' as const), flow: fc.nat(5), seats: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constant('release' as const), which: fc.nat(50) }),
    fc.record({ do: fc.constant('cancel' as const), which: fc.nat(50) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), async (actions, limit) => {
      const queues = new FairQueues(limit, queuing(8, 3, 4));
      const running: Seat[] = [];
      const waiting: Waiting[] = [];
      let now = 0;
      for (const one of actions) {
        now += 1;
        if (one.do === 'enter') {
          const entered = queues.enter(`flow ${one.flow}`, one.seats, now);
          if (isSeat(entered)) running.push(entered);
          else if (isWaiting(entered)) {
            waiting.push(entered);
            void entered.turn.then((turn) => turn && running.push(turn));
          }
        } else if (one.do === 'release') running.splice(one.which % (running.length || 1), 1)[0]?.release(now);
        else waiting.splice(one.which % (waiting.length || 1), 1)[0]?.cancel(now);
        await Promise.resolve();
        await Promise.resolve();
        assert.ok(queues.usedSeats <= limit || queues.running === 1);
        assert.equal(queues.running, running.length);
      }
      for (let round = 0; round < 300 && (queues.running > 0 || queues.waiting > 0); round++) {
        running.shift()?.release(++now);
        await Promise.resolve();
        await Promise.resolve();
      }
      assert.deepEqual([queues.running, queues.usedSeats, queues.waiting, queues.activeQueues], [0, 0, 0, 0]);
    }),
    { numRuns: 200 },
  );
});

test('a wide request waits for its room and is not passed by', async () => {
  const queues = new FairQueues(3, queuing(64, 1));
  const small = [0, 1, 2].map(() => seat(queues.enter('small', 1, 0)));
  const wide = queues.enter('wide', 3, 1);
  const late = queues.enter('small', 1, 2);
  assert.ok(isWaiting(wide) && isWaiting(late));
  for (const one of small) one.release(30);
  const turn = await wide.turn;
  assert.ok(turn);
  assert.equal(queues.usedSeats, 3);
  turn.release(40);
  assert.ok(await late.turn);
});

test('the seats of the server are divided by shares', () => {
  const limits = levelLimits(
    new Map(Object.entries({ ...MANDATORY_PRIORITY_LEVELS, ...SUGGESTED_PRIORITY_LEVELS })),
    600,
  );
  assert.deepEqual(limits.get('workload-low'), { nominal: 245, lower: 24, upper: 600 });
  assert.deepEqual(limits.get('leader-election'), { nominal: 25, lower: 25, upper: 600 });
  assert.deepEqual(limits.get('catch-all'), { nominal: 13, lower: 13, upper: 600 });
  assert.equal(limits.get('exempt')?.nominal, 0);
});

test('who wants more than his share borrows what others leave, and nobody gets less than he keeps', () => {
  const shares = allocate(100, [
    { lower: 10, upper: 100, target: 90 },
    { lower: 20, upper: 100, target: 20 },
    { lower: 5, upper: 8, target: 30 },
  ]);
  const [first = 0, second = 0, third = 0] = shares;
  assert.ok(Math.abs(first + second + third - 100) < 0.01, shares.join());
  assert.ok(first > 70 && second >= 20 && third === 8, shares.join());
  assert.deepEqual(
    allocate(10, [
      { lower: 8, upper: 9, target: 1 },
      { lower: 7, upper: 9, target: 5 },
    ]),
    [8, 7],
  );
});

test('demand is averaged over time', () => {
  const demand = new SeatDemand(0);
  demand.set(10, 0);
  demand.set(0, 50);
  assert.deepEqual(demand.summarize(100), { average: 5, standardDeviation: 5, highest: 10 });
  assert.deepEqual(demand.summarize(200), { average: 0, standardDeviation: 0, highest: 0 });
});
