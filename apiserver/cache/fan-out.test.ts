import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { FanOut, type Pumped } from './fan-out.js';
import type { WatchCache } from './watch-cache.js';

const cache = {} as WatchCache;

/** A stream that has something to write whenever `version` has moved on. */
class Stream implements Pumped {
  readonly written: number[] = [];
  readonly #state: { version: number };

  constructor(state: { version: number }) {
    this.#state = state;
  }

  get isCaughtUp(): boolean {
    return (this.written.at(-1) ?? 0) === this.#state.version;
  }

  pump(): void {
    this.written.push(this.#state.version);
  }

  finish(): void {}
}

function world(count: number): { clock: FakeClock; streams: Stream[]; change: () => void } {
  const clock = new FakeClock();
  const fanOut = new FanOut(clock);
  const state = { version: 0 };
  const streams = Array.from({ length: count }, () => new Stream(state));
  for (const stream of streams) fanOut.add(cache, stream);
  const change = (): void => {
    state.version += 1;
    fanOut.notify();
  };
  return { clock, streams, change };
}

test('a lone change goes out at once', async () => {
  const { clock, streams, change } = world(3);
  change();
  await clock.advance(0);
  assert.deepEqual(
    streams.map(({ written }) => written),
    [[1], [1], [1]],
  );
});

test('changes that follow each other quickly are joined into one write, and none is forgotten', async () => {
  const { clock, streams, change } = world(1);
  change();
  await clock.advance(0);
  for (let i = 0; i < 5; i++) change();
  await clock.advance(3);
  assert.deepEqual(streams[0]?.written, [1]);
  await clock.advance(1);
  assert.deepEqual(streams[0]?.written, [1, 6]);
});

test('many streams are written to in slices, and a change meanwhile reaches all of them', async () => {
  const { clock, streams, change } = world(1_250);
  change();
  const original = streams[900]?.pump.bind(streams[900]);
  if (streams[900]) {
    streams[900].pump = () => {
      original?.();
      if (streams[900]?.written.length === 1) change();
    };
  }
  await clock.advance(50);
  assert.deepEqual(
    new Set(streams.map(({ written }) => written.at(-1))),
    new Set([2]),
    'every stream has seen the last change',
  );
});
