import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';

import { eventually } from '../../../shared/clock/eventually.js';
import { FakeClock } from '../../../shared/clock/fake-clock.js';
import { silentLog } from '../../../shared/log/log.js';
import { SilentEngine } from '../../testing/silent-engine.js';
import type { RuntimeError } from '../container-runtime.js';
import { DockerRuntime } from './docker-runtime.js';

let engine: SilentEngine;
let clock: FakeClock;
let runtime: DockerRuntime;
beforeEach(async () => {
  engine = await SilentEngine.open();
  clock = new FakeClock();
  runtime = new DockerRuntime({ cluster: 'c', node: 'n', host: engine.host, clock, log: silentLog });
});
afterEach(async () => {
  await runtime.close();
  await engine.close();
});

test('an attachment that the engine forgot, because the container ended meanwhile, is given up', async () => {
  const inspected = { State: { Running: true }, Config: { Tty: false, StdinOnce: false } };
  engine.answers = (path) => {
    if (path.endsWith('/json')) return inspected;
    if (path.endsWith('/wait')) return { StatusCode: 0 };
    return path.endsWith('/attach') ? 'taken' : undefined;
  };
  const attached = assert.rejects(
    runtime.attach('x', { tty: false, stdout: new PassThrough() }),
    (error: RuntimeError) => error.code === 'Conflict' && error.message === 'container x is not running',
  );
  await eventually(() => assert.ok(engine.requests.includes('POST /containers/x/wait'), engine.requests.join()));
  await eventually(() => assert.ok(clock.pending > 0));
  await clock.advance(10_000);
  await attached;
});
