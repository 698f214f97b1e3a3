import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Probe } from '../../shared/api/generated/types.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { containerOf, podOf } from '../testing/pod-builder.js';
import { httpProbe } from './http-probe.js';
import { ProbeWorker, type ProbeType } from './probe-worker.js';
import { tcpProbe } from './tcp-probe.js';

const target = { pod: podOf(), container: containerOf('main'), containerId: 'c', podIP: '127.0.0.1' };

/** Plays `answers` to a worker, one a period; `!` is a failure, `.` a success, `?` a probe that could not be made. */
async function play(type: ProbeType, probe: Probe, answers: string): Promise<{ verdicts: string[]; asked: number }> {
  const clock = new FakeClock();
  const verdicts: string[] = [];
  let asked = 0;
  const worker = new ProbeWorker({
    clock,
    type,
    probe,
    target,
    startedAtMs: clock.now(),
    initial: type === 'startup' ? undefined : type === 'liveness',
    firstDelayMs: 0,
    run: () => {
      const answer = answers[asked++] ?? '.';
      if (answer === '?') return Promise.reject(new Error('cannot'));
      return Promise.resolve({ outcome: answer === '!' ? 'failure' : 'success', output: '' });
    },
    onVerdict: (holds) => verdicts.push(`${clock.monotonic() / 1000}s ${holds}`),
    onTrouble: () => undefined,
    onProbed: () => undefined,
    onError: () => undefined,
  });
  await clock.advance(answers.length * 10_000);
  worker.stop();
  return { verdicts, asked };
}

test('readiness follows its thresholds both ways', async () => {
  const { verdicts } = await play(
    'readiness',
    { periodSeconds: 10, failureThreshold: 2, successThreshold: 2 },
    '..!.!!..',
  );
  assert.deepEqual(verdicts, ['10s true', '50s false', '70s true']);
});

test('a condemned container is not asked again', async () => {
  const { verdicts, asked } = await play('liveness', { periodSeconds: 10, failureThreshold: 3 }, '.!!!....');
  assert.deepEqual([verdicts, asked], [['30s false'], 4]);
});

test('a startup probe ends with its success', async () => {
  const { verdicts, asked } = await play('startup', { periodSeconds: 10, failureThreshold: 5 }, '!!......');
  assert.deepEqual([verdicts, asked], [['20s true'], 3]);
});

test('a probe that could not be made counts neither way', async () => {
  const { verdicts } = await play('liveness', { periodSeconds: 10, failureThreshold: 3 }, '!!?!....');
  assert.deepEqual(verdicts, ['30s false']);
});

test('the initial delay counts from the start of the container', async () => {
  const { verdicts } = await play('readiness', { initialDelaySeconds: 15, periodSeconds: 10 }, '....');
  assert.deepEqual(verdicts, ['15s true']);
});

test('an HTTP probe reads the answers of servers that end their lines with LF alone', async () => {
  const server = createTcpServer((socket) => socket.on('data', () => socket.end('HTTP/1.0 200 OK\nA: b\n\nwell')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const result = await httpProbe({ port }, target, 1000, new AbortController().signal);
    assert.deepEqual(result, { outcome: 'success', output: 'well' });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('an HTTP probe succeeds from 200 to 399, and does not follow to another host', async () => {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/away') response.writeHead(302, { location: 'http://192.0.2.1/' }).end('gone');
    else if (path === '/here') response.writeHead(302, { location: '/status/204' }).end();
    else response.writeHead(Number(path.split('/').at(-1)), {}).end(request.headers['x-name']);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  const ask = async (path: string): Promise<string> => {
    const { outcome, output } = await httpProbe(
      { port, path, httpHeaders: [{ name: 'X-Name', value: 'me' }] },
      target,
      1000,
      signal,
    );
    return `${outcome} ${output}`;
  };
  try {
    assert.equal(await ask('/status/200'), 'success me');
    assert.equal(await ask('/status/503'), 'failure HTTP probe failed with statuscode: 503');
    assert.equal(await ask('/here'), 'success ');
    assert.equal(await ask('/away'), 'warning Probe terminated redirects, Response body: gone');
    assert.equal((await tcpProbe('127.0.0.1', port, 1000, signal)).outcome, 'success');
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  assert.equal(
    await ask('/status/200'),
    `failure Get "http://127.0.0.1:${port}/status/200": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
});
