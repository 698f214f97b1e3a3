import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice, Event } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { create, type FindCluster, idle, isReady, phaseIs, pod, podWhere, shell, statusOf } from './pod.js';

/** How containers begin, are watched, fail and end. */
export function lifecycleTests(cluster: FindCluster): void {
  test('readiness gates endpoints, liveness restarts, startup holds both back', async () => {
    const probe = (file: string): object => ({
      exec: { command: ['test', '-e', file] },
      periodSeconds: 1,
      timeoutSeconds: 10,
      failureThreshold: 1,
    });
    await create(
      cluster(),
      pod(
        'probes',
        {
          containers: [
            shell('main', `touch /tmp/live; ${idle}`, {
              startupProbe: { ...probe('/tmp/live'), failureThreshold: 30 },
              readinessProbe: probe('/tmp/ready'),
              livenessProbe: probe('/tmp/live'),
            }),
          ],
        },
        { labels: { app: 'probes' } },
      ),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'probes' },
        spec: { selector: { app: 'probes' }, ports: [{ port: 80 }] },
      },
    );
    const inside = (...argv: string[]): Promise<string> => cluster().kubectl(['exec', 'probes', '--', ...argv]);
    const endpointIsReady = (expected: boolean): Promise<void> =>
      eventually(
        async () => {
          const slices = await cluster().get<{ items: EndpointSlice[] }>(
            'endpointslices',
            '-l',
            'kubernetes.io/service-name=probes',
          );
          assert.deepEqual(
            slices.items.flatMap((s) => s.endpoints ?? []).map((e) => e.conditions?.ready),
            [expected],
          );
        },
        30_000,
        300,
      );
    await podWhere(cluster(), 'probes', (p) => assert.equal(statusOf(p).started, true));
    await endpointIsReady(false);
    await inside('touch', '/tmp/ready');
    await endpointIsReady(true);
    await inside('rm', '/tmp/ready');
    await endpointIsReady(false);
    await inside('rm', '/tmp/live');
    await podWhere(cluster(), 'probes', (p) => {
      assert.equal(statusOf(p).restartCount, 1);
      assert.ok(statusOf(p).state?.running);
    });
    await eventually(
      async () => {
        const events = await cluster().get<{ items: Event[] }>('events', '--field-selector=involvedObject.name=probes');
        for (const [reason, message] of [
          ['Unhealthy', /^Liveness probe failed:/],
          ['Killing', /failed liveness probe, will be restarted/],
        ] as const)
          assert.ok(
            events.items.some((e) => e.reason === reason && message.test(e.message ?? '')),
            reason,
          );
      },
      20_000,
      300,
    );
  });

  test('restart policies decide about phases; a termination message is kept; memory beyond the limit is OOMKilled', async () => {
    const once = (name: string, script: string, restartPolicy: string, rest: object = {}): object =>
      pod(name, {
        restartPolicy,
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [shell('main', script, { volumeMounts: [{ name: 'v', mountPath: '/v' }], ...rest })],
      });
    await create(
      cluster(),
      once('never-fails', 'echo because > /dev/termination-log; exit 3', 'Never'),
      once('log-message', 'echo last words; exit 4', 'Never', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
      once('second-try', 'test -e /v/tried || { touch /v/tried; exit 1; }', 'OnFailure'),
      once('too-big', 'x=$(head -c 80000000 /dev/zero | tr "\\0" x); echo ${#x}', 'Never', {
        resources: { limits: { memory: '24Mi' } },
      }),
      pod('too-long', { restartPolicy: 'Never', activeDeadlineSeconds: 3, containers: [shell('main', idle)] }),
    );
    const [failed, logged, retried, big, long] = await Promise.all([
      podWhere(cluster(), 'never-fails', phaseIs('Failed')),
      podWhere(cluster(), 'log-message', phaseIs('Failed')),
      podWhere(cluster(), 'second-try', phaseIs('Succeeded')),
      podWhere(cluster(), 'too-big', (p) => {
        phaseIs('Failed')(p);
        // The engine may tell of the memory after it has told of the end.
        assert.equal(statusOf(p).state?.terminated?.reason, 'OOMKilled');
      }),
      podWhere(cluster(), 'too-long', phaseIs('Failed')),
    ]);
    const ended = (p: typeof failed): unknown[] => {
      const { exitCode, reason, message } = statusOf(p).state?.terminated ?? {};
      return [exitCode, reason, message];
    };
    assert.deepEqual(ended(failed), [3, 'Error', 'because\n']);
    assert.deepEqual(ended(logged), [4, 'Error', 'last words\n']);
    assert.deepEqual([statusOf(retried).restartCount, ...ended(retried)], [1, 0, 'Completed', undefined]);
    assert.deepEqual(ended(big), [137, 'OOMKilled', undefined]);
    assert.equal(long.status?.reason, 'DeadlineExceeded');
    assert.match(long.status?.message ?? '', /Pod was active on the node longer than the specified deadline/);
  });

  test('a container that keeps failing waits in CrashLoopBackOff; its previous log is kept', async () => {
    await create(cluster(), pod('crashing', { containers: [shell('main', 'echo attempt; exit 1')] }));
    const found = await podWhere(cluster(), 'crashing', (p) => {
      assert.ok(statusOf(p).restartCount >= 1);
      assert.equal(statusOf(p).state?.waiting?.reason, 'CrashLoopBackOff');
    });
    assert.match(
      statusOf(found).state?.waiting?.message ?? '',
      /^back-off \d+s restarting failed container=main pod=crashing_default\(/,
    );
    assert.equal(statusOf(found).lastState?.terminated?.exitCode, 1);
    assert.equal(await cluster().kubectl(['logs', '--previous', 'crashing']), 'attempt\n');
    assert.match(await cluster().kubectl(['get', 'pod', 'crashing']), /CrashLoopBackOff\s+\d/);
  });

  test('hooks run; TERM is heard; a deaf container is killed when the grace period is over', async () => {
    // Of this cluster alone: all hosts of all labs have one disk.
    const hostPath = `/tmp/knarr-e2e-hooks-${cluster().host.name}`;
    const volumes = [{ name: 'v', hostPath: { path: hostPath, type: 'DirectoryOrCreate' } }];
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    const run = (script: string): object => ({ exec: { command: ['sh', '-c', script] } });
    await create(
      cluster(),
      pod('polite', {
        terminationGracePeriodSeconds: 30,
        volumes,
        containers: [
          shell('main', 'trap "echo term >> /v/polite; exit 0" TERM; while :; do sleep 0.1; done', {
            volumeMounts,
            lifecycle: { postStart: run('echo started > /v/polite'), preStop: run('echo stopping >> /v/polite') },
          }),
        ],
      }),
      pod('deaf', {
        terminationGracePeriodSeconds: 2,
        containers: [shell('main', 'trap "" TERM; while :; do sleep 1; done')],
      }),
      pod('reader', {
        terminationGracePeriodSeconds: 0,
        volumes,
        containers: [shell('main', 'exec sleep 1000', { volumeMounts })],
      }),
    );
    await Promise.all(['polite', 'deaf', 'reader'].map((name) => podWhere(cluster(), name, isReady)));
    const deleted = async (name: string): Promise<number> => {
      const start = performance.now();
      await cluster().kubectl(['delete', 'pod', name]);
      return performance.now() - start;
    };
    const [polite, deaf] = await Promise.all([deleted('polite'), deleted('deaf')]);
    assert.ok(polite < 20_000, `${polite} ms`);
    assert.ok(deaf >= 2000 && deaf < 20_000, `${deaf} ms`);
    assert.equal(await cluster().kubectl(['exec', 'reader', '--', 'cat', '/v/polite']), 'started\nstopping\nterm\n');
  });

  test('logs follow, choose and cut; exec has a terminal; cp carries bytes; proxies reach pod and node', async () => {
    const talk = 'echo one; echo two; echo three; while [ ! -e /tmp/end ]; do sleep 0.1; done; echo end';
    await create(
      cluster(),
      pod('streams', {
        restartPolicy: 'Never',
        containers: [
          shell('talker', talk),
          shell('asked', 'read word; sleep 2; echo "got $word"; sleep 1; echo end', { stdin: true }),
          shell('listener', 'mkdir /www; echo page > /www/index.html; httpd -p 8080 -h /www; exec cat', {
            stdin: true,
            ports: [{ containerPort: 8080 }],
          }),
        ],
      }),
    );
    await podWhere(cluster(), 'streams', isReady);
    const { host } = cluster();
    const kubectl = (...args: string[]): Promise<string> => cluster().kubectl(args);
    assert.equal(await kubectl('logs', 'streams', '-c', 'talker', '--tail=2'), 'two\nthree\n');
    assert.match(
      await kubectl('logs', 'streams', '-c', 'talker', '--timestamps', '--tail=1'),
      /^\d{4}-\d\d-\d\dT[\d:.]+Z three$/m,
    );
    // What the process says after the end of its input arrives as well.
    const attached = cluster().kubectl(['attach', '-i', 'streams', '-c', 'asked'], { input: 'hello\n' });
    const following = kubectl('logs', '-f', 'streams', '-c', 'talker');
    // The size of the terminal arrives by itself: the shell waits for it.
    const size = 'tty; until [ "$(stty size 2>/dev/null)" = "33 101" ]; do sleep 0.1; done; echo sized';
    const interactive = `stty rows 33 cols 101; kubectl exec -it streams -c talker -- sh -c '${size}'`;
    const terminal = await host.run(['script', '-qec', interactive, '/dev/null']);
    // `script` ends its input with an end-of-file character, which the terminal echoes.
    assert.match(terminal.stdout, /\/dev\/pts\/0\r\n(\^@|\^D)*sized\r\n/);
    await cluster().kubectl(['cp', 'package.json', 'streams:/tmp/copied', '-c', 'talker']);
    await cluster().kubectl(['cp', '-c', 'talker', 'streams:/tmp/copied', `${host.directory}/copied`]);
    await host.run(['cmp', 'package.json', `${host.directory}/copied`]);
    assert.equal(await kubectl('get', '--raw', '/api/v1/namespaces/default/pods/streams:8080/proxy/'), 'page\n');
    assert.match(await kubectl('get', '--raw', '/api/v1/nodes/node-1/proxy/metrics'), /^# HELP/m);
    await kubectl('exec', 'streams', '-c', 'talker', '--', 'touch', '/tmp/end');
    assert.match(await attached, /^got hello\nend\n$/m);
    assert.equal(await following, 'one\ntwo\nthree\nend\n');
  });
}
