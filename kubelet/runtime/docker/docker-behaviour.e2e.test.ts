import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, test } from 'node:test';

import { systemClock } from '../../../shared/clock/clock.js';
import { eventually } from '../../../shared/clock/eventually.js';
import { silentLog } from '../../../shared/log/log.js';
import type { ContainerConfig, ContainerStatus, SandboxConfig } from '../container-runtime.js';
import { containerConfigOf, sandboxConfigOf } from '../../testing/runtime-configs.js';
import { busyboxImage } from './busybox-image.js';
import { DockerRuntime } from './docker-runtime.js';

const host = process.env['DOCKER_HOST'];
assert.ok(host, 'these tests need a Docker Engine: set DOCKER_HOST to its socket, e.g. unix:///var/run/docker.sock');

const IMAGE = 'knarr-test/busybox:1';
const runtime = new DockerRuntime({ host, cluster: 'behaviour', node: 'node-1', clock: systemClock, log: silentLog });
let count = 0;

before(async () => {
  await runtime.loadImage(await busyboxImage(IMAGE));
  await runtime.ensureNetwork('10.250.4.0/24');
});
afterEach(removeAll);
after(async () => {
  await runtime.removeNetwork();
  await runtime.close();
});

async function removeAll(): Promise<void> {
  for (const { id } of await runtime.listPodSandboxes()) await runtime.removePodSandbox(id);
}

const sandboxConfig = (overrides: Partial<SandboxConfig> = {}): SandboxConfig =>
  sandboxConfigOf(`pod-${++count}`, `10000000-0000-4000-8000-${String(count).padStart(12, '0')}`, overrides);

const containerConfig = (script: string, overrides: Partial<ContainerConfig> = {}): ContainerConfig =>
  containerConfigOf(IMAGE, {
    command: ['sh', '-c', script],
    env: [{ name: 'GREETING', value: 'a=b c' }],
    ...overrides,
  });

interface Running {
  readonly sandboxId: string;
  readonly sandbox: SandboxConfig;
  readonly id: string;
}

async function start(
  script: string,
  container: Partial<ContainerConfig> = {},
  pod: Partial<SandboxConfig> = {},
): Promise<Running> {
  const sandbox = sandboxConfig(pod);
  const sandboxId = await runtime.runPodSandbox(sandbox);
  const id = await runtime.createContainer(sandboxId, containerConfig(script, container), sandbox);
  await runtime.startContainer(id);
  return { sandboxId, sandbox, id };
}

async function run(id: string, script: string, input?: string): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const outputs = Promise.all([text(stdout), text(stderr)]);
  const stdin = input === undefined ? undefined : new PassThrough();
  stdin?.end(input);
  const command = ['sh', '-c', script];
  const code = await runtime.exec(id, { command, tty: false, stdout, stderr, ...(stdin ? { stdin } : {}) });
  const [out, err] = await outputs;
  return { code, out, err };
}

const exited = (id: string): Promise<ContainerStatus> =>
  eventually(async () => {
    const status = await runtime.containerStatus(id);
    assert.equal(status?.state, 'exited');
    return status;
  }, 20_000);

const serve = 'mkdir -p /tmp; echo served > /tmp/index.html; httpd -f -h /tmp -p "$ADDRESS:8080"';

/** Asks a web server in the pod for its page. */
async function page(socket: Duplex): Promise<string> {
  socket.write('GET / HTTP/1.0\r\n\r\n');
  return (await text(socket)).split('\r\n\r\n')[1] ?? '';
}

test('exec keeps output apart, carries input to its end, and tells exit codes', async () => {
  const { id } = await start('sleep 1000');
  assert.deepEqual(await run(id, 'echo out; echo err >&2; exit 5'), { code: 5, out: 'out\n', err: 'err\n' });
  assert.equal((await run(id, 'cat | tr a-z A-Z', 'half close')).out, 'HALF CLOSE');
  assert.equal((await run(id, 'echo "$GREETING"; hostname')).out, `a=b c\npod-${count}\n`);
  const large = await run(id, 'dd if=/dev/zero bs=1000 count=5000 2>/dev/null');
  assert.equal(large.out.length, 5_000_000);
});

test('a command that is not there exits with 126 or 127 and says so', async () => {
  const { id } = await start('sleep 1000');
  const stdout = new PassThrough();
  const output = text(stdout);
  const code = await runtime.exec(id, { command: ['/no/such'], tty: false, stdout });
  assert.ok(code === 126 || code === 127, String(code));
  assert.match(await output, /\/no\/such/);
});

test('a terminal has the size that the client gives, also when it changes', async () => {
  const { id } = await start('sleep 1000');
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  let seen = '';
  stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  const sizes = new PassThrough({ objectMode: true });
  sizes.write({ width: 91, height: 37 });
  const options = { tty: true, stdin, stdout, resize: sizes };
  const running = runtime.exec(id, { command: ['sh'], ...options });
  const shows = (size: RegExp): Promise<void> =>
    eventually(
      () => {
        stdin.write('stty size\n');
        assert.match(seen, size);
      },
      20_000,
      100,
    );
  await shows(/37 91/);
  sizes.write({ width: 100, height: 40 });
  await shows(/40 100/);
  stdin.write('exit 4\n');
  assert.equal(await running, 4);
});

test('input that ends does not end the output of a process that keeps its input', async () => {
  const script = 'read word; sleep 0.5; echo "got $word"; sleep 0.5; echo end';
  const { id } = await start(script, { stdin: true, stdinOnce: false });
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const output = text(stdout);
  const attached = runtime.attach(id, { tty: false, stdin, stdout });
  stdin.end('hello\n');
  await attached;
  assert.equal(await output, 'got hello\nend\n');
});

test('an aborted exec kills its process, a detached one goes on', async () => {
  const { id } = await start('sleep 1000');
  const processes = async (): Promise<string> => (await run(id, 'ps -o args')).out;
  for (const detachOnAbort of [false, true]) {
    const stop = new AbortController();
    const seconds = detachOnAbort ? '7002' : '7001';
    const options = { command: ['sleep', seconds], tty: false, stdout: new PassThrough() };
    const running = runtime.exec(id, { ...options, signal: stop.signal, detachOnAbort });
    await eventually(async () => assert.ok((await processes()).includes(seconds)));
    stop.abort();
    await assert.rejects(running, { name: 'AbortError' });
  }
  await eventually(async () => assert.ok(!(await processes()).includes('7001')));
  assert.ok((await processes()).includes('7002'));
});

test('a container over its memory limit is OOMKilled', async () => {
  const hog = 'x=$(dd if=/dev/zero bs=1000000 count=200 2>/dev/null | tr "\\0" x); echo ${#x}';
  const { id } = await start(hog, {
    resources: { memoryLimitBytes: 16 * 2 ** 20, cpuQuota: 400_000, cpuPeriod: 100_000 },
  });
  const status = await exited(id);
  assert.deepEqual([status.exitCode, status.oomKilled], [137, true]);
});

test('a restarted kubelet starts a container of low OOM score in a sandbox that it found, as in one of its own', async () => {
  const sandbox = sandboxConfig();
  const sandboxId = await runtime.runPodSandbox(sandbox);
  const restarted = new DockerRuntime({
    host,
    cluster: 'behaviour',
    node: 'node-1',
    clock: systemClock,
    log: silentLog,
  });
  try {
    const config = containerConfig('sleep 1000', { resources: { oomScoreAdj: -997 } });
    const id = await restarted.createContainer(sandboxId, config, sandbox);
    await restarted.startContainer(id);
    assert.equal((await restarted.containerStatus(id))?.state, 'running');
  } finally {
    await restarted.close();
  }
});

test('a privileged container starts, also on a host that refuses privileges: with the devices and all it can have', async () => {
  const security = { ...containerConfig('').security, privileged: true, seccompUnconfined: true };
  const { id } = await start('exec sleep 1000', { security });
  const { out } = await run(id, 'cat /proc/self/status; ls /dev');
  const capabilities = (status: string, set: string): bigint =>
    BigInt(`0x${new RegExp(`^${set}:\\s+([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  const held = capabilities(out, 'CapEff');
  const [sysAdmin, sysResource] = [1n << 21n, 1n << 24n];
  assert.notEqual(held & sysAdmin, 0n);
  // Newer engines leave out by themselves what the host lacks, and refuse nothing.
  const ofHost = capabilities(await readFile('/proc/self/status', 'utf8'), 'CapBnd');
  assert.equal(held & sysResource, ofHost & sysResource);
  assert.match(out, /^loop-control$|^kmsg$|^fuse$/m);
  assert.deepEqual(
    (await runtime.listAll()).filter(({ container }) => container === 'privileged'),
    [],
  );
});

test('a seccomp profile that is given is in force', async () => {
  const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }];
  const seccompProfile = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls });
  const security = { ...containerConfig('').security, seccompProfile };
  const { id } = await start('mkdir /tmp/x && exit 1; touch /tmp/y', { security });
  assert.equal((await exited(id)).exitCode, 0);
});

test('a memory volume is shared by the containers of a pod and outlives a restart', async () => {
  const volume = { memoryVolumes: [{ name: 'cache', containerPath: '/cache', readOnly: false }] };
  const pod = { memoryVolumes: [{ name: 'cache', sizeBytes: 1_048_576 }] };
  const { id, sandboxId, sandbox } = await start('echo kept > /cache/file', volume, pod);
  await exited(id);
  await runtime.removeContainer(id);
  const config = containerConfig('sleep 1000', { ...volume, attempt: 1 });
  const second = await runtime.createContainer(sandboxId, config, sandbox);
  await runtime.startContainer(second);
  assert.equal((await run(second, 'cat /cache/file')).out, 'kept\n');
  assert.notEqual(
    (await run(second, 'dd if=/dev/zero of=/cache/big bs=1000 count=2000')).code,
    0,
    'its size is bounded',
  );
});

test('a port that listens on the pod’s loopback only is reached, as is one on its address; others are refused', async () => {
  const loopback = await start(`ADDRESS=127.0.0.1; ${serve}`);
  await eventually(async () =>
    assert.equal(await page(await runtime.portForward(loopback.sandboxId, 8080)), 'served\n'),
  );
  await assert.rejects(
    runtime.portForward(loopback.sandboxId, 81),
    /dial tcp4 127.0.0.1:81: connect: connection refused/,
  );
  const open = await start(`ADDRESS=0.0.0.0; ${serve}`);
  await eventually(async () => assert.equal(await page(await runtime.portForward(open.sandboxId, 8080)), 'served\n'));
});

test('a host port is published on the given address', async () => {
  // An address of loopback that nobody else uses, so that its ports are free.
  const hostIP = '127.83.12.7';
  const mapping = { protocol: 'TCP', containerPort: 8080, hostPort: 18080, hostIP } as const;
  await start(`ADDRESS=0.0.0.0; ${serve}`, {}, { portMappings: [mapping] });
  await eventually(async () => {
    const socket = connect(18080, hostIP);
    await once(socket, 'connect');
    assert.equal(await page(socket), 'served\n');
  });
  await assert.rejects(start('sleep 1', {}, { portMappings: [mapping] }), /port is already allocated/);
  assert.equal((await runtime.listPodSandboxes()).length, 1, 'a sandbox that cannot start leaves nothing behind');
});

test('containers see the network of their pod, and each other’s processes only when shared', async () => {
  const { id } = await start('sleep 4321', {}, { shareProcessNamespace: true });
  assert.match((await run(id, 'ps -o pid,args')).out, /^ +1 \/pause$/m);
  // Orphans are adopted by the pause process, which has them reaped.
  await run(id, '(sh -c "sleep 0.1" &) ; exit 0');
  await eventually(async () => assert.doesNotMatch((await run(id, 'ps -o args,stat')).out, /Z/));
});

test('lines longer than Docker’s entries stay whole in the log, timestamps included', async () => {
  const { id } = await start('dd if=/dev/zero bs=1000 count=50 2>/dev/null | tr "\\0" x; echo; echo short');
  await exited(id);
  const output = new PassThrough();
  const log = text(output);
  await runtime.logs(id, { follow: false, timestamps: true }, output);
  output.end();
  const lines = (await log).split('\n');
  assert.match(lines[0] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z x{50000}$/);
  assert.match(lines[1] ?? '', /Z short$/);
});

test('files of the host are mounted, a missing one is made as a folder, the termination message lands in its file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mounts-'));
  const message = join(folder, 'message');
  await writeFile(message, '');
  const mount = {
    hostPath: join(folder, 'a', 'b'),
    containerPath: '/data',
    readOnly: false,
    propagation: 'private',
  } as const;
  const { id } = await start('echo bye > /dev/termination-log; echo hi > /data/file', {
    mounts: [mount],
    terminationMessagePath: '/dev/termination-log',
    terminationMessageHostPath: message,
  });
  assert.equal((await exited(id)).exitCode, 0);
  assert.equal(await readFile(message, 'utf8'), 'bye\n');
  assert.equal(await readFile(join(folder, 'a', 'b', 'file'), 'utf8'), 'hi\n');
  await rm(folder, { recursive: true });
});

test("the host's whole file system can be mounted, the engine's own folder with it", async () => {
  const root = { hostPath: '/', containerPath: '/host', readOnly: true, propagation: 'private' } as const;
  const { id } = await start('test -d /host/etc', { mounts: [root] });
  assert.equal((await exited(id)).exitCode, 0);
});

test('the disk that a container takes is what it wrote and what it said', async () => {
  const { id } = await start('dd if=/dev/zero of=/file bs=1000 count=3000 2>/dev/null; sleep 1000');
  await eventually(async () => assert.ok((await runtime.containerDiskBytes(id)) >= 3_000_000));
});

test('statistics grow with what a container does', async () => {
  const { id } = await start('while :; do :; done', { resources: { cpuQuota: 50_000, cpuPeriod: 100_000 } });
  const cpu = async (): Promise<number> => (await runtime.stats()).find((one) => one.id === id)?.cpuNanoseconds ?? 0;
  const first = await cpu();
  await eventually(async () => assert.ok((await cpu()) > first + 50_000_000));
  assert.ok(((await runtime.stats())[0]?.memoryWorkingSetBytes ?? 0) > 0);
});

test('a container with a target sees its processes and no others of the pod', async () => {
  const { sandboxId, sandbox, id } = await start('exec sleep 1111');
  const other = await runtime.createContainer(
    sandboxId,
    containerConfig('exec sleep 2222', { name: 'other' }),
    sandbox,
  );
  await runtime.startContainer(other);
  const config = containerConfig('exec sleep 3333', { name: 'shell', targetId: id });
  const shell = await runtime.createContainer(sandboxId, config, sandbox);
  await runtime.startContainer(shell);
  const { out } = await run(shell, 'ps -o pid,args');
  assert.match(out, /^ +1 sleep 1111$/m);
  assert.match(out, /sleep 3333/);
  assert.doesNotMatch(out, /sleep 2222/);
});
