import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { RawClient } from './testing/raw-client.js';
import { makeServerFiles, ServerProcess, type ServerFiles } from './testing/server-process.js';

const configMaps = '/api/v1/namespaces/default/configmaps';
const patienceMs = 60_000;

function folder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'knarr-server-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A disk of its own; needs root. */
function smallDisk(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'knarr-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', directory]);
  t.after(() => {
    execFileSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true });
  });
  return directory;
}

function fill(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (const piece = Buffer.alloc(4096); writeSync(fd, piece) === piece.length;);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(fd);
  }
}

/** Clients that create objects one after the other, and what they were told. */
class Load {
  readonly acknowledged = new Set<string>();
  /** Codes and reasons of refusals. */
  readonly refusals = new Set<string>();
  readonly #admin: RawClient;
  readonly #clients: Promise<void>[];
  #isEnded = false;

  constructor(admin: RawClient) {
    this.#admin = admin;
    this.#clients = ['a', 'b', 'c', 'd'].map((client) => this.#run(client));
  }

  async #run(client: string): Promise<void> {
    for (let i = 0; !this.#isEnded; i++) {
      const name = `${client}-${i}`;
      const answer = await this.#admin.send(configMaps, { body: { metadata: { name }, data: { a: 'x'.repeat(500) } } });
      if (answer.code === 201) this.acknowledged.add(name);
      else {
        this.refusals.add(`${answer.code} ${String(answer.json?.['reason'])}`);
        await systemClock.sleep(50);
      }
    }
  }

  /** Waits for that many more acknowledged writes. */
  async progress(count: number): Promise<void> {
    const wanted = this.acknowledged.size + count;
    await eventually(
      () => assert.ok(this.acknowledged.size >= wanted, `${this.acknowledged.size} of ${wanted}`),
      patienceMs,
    );
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await Promise.all(this.#clients);
  }
}

const namesOf = (json: unknown): string[] =>
  (json as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);

/** While nothing can be written: readiness says why, and reading goes on. */
async function checkReadOnly(admin: RawClient, load: Load): Promise<void> {
  await eventually(async () => {
    const ready = await admin.send('/readyz');
    assert.equal(ready.code, 500);
    assert.match(ready.text, /^\[-\]storage failed: the store is read-only: \S/m);
  }, patienceMs);
  await eventually(() => assert.ok(load.refusals.has('503 ServiceUnavailable')), patienceMs);
  assert.deepEqual([...load.refusals], ['503 ServiceUnavailable']);
  const [first = ''] = load.acknowledged;
  assert.equal((await admin.send(`${configMaps}/${first}`)).code, 200);
  const known = [...load.acknowledged];
  const listed = new Set(namesOf((await admin.send(configMaps)).json));
  assert.deepEqual(
    known.filter((name) => !listed.has(name)),
    [],
  );
}

/** After kill -9 and a new start everything that was acknowledged is there. */
async function checkRestarted(t: TestContext, files: ServerFiles, load: Load): Promise<void> {
  const again = await ServerProcess.start(files);
  t.after(() => again.kill());
  const admin = new RawClient(again, files.admin);
  t.after(() => admin.close());
  const listed = new Set(namesOf((await admin.send(configMaps)).json));
  assert.deepEqual(
    [...load.acknowledged].filter((name) => !listed.has(name)),
    [],
  );
  assert.equal((await admin.send('/readyz')).code, 200);
}

test('a full disk stops writes alone, and ends when there is room again', async (t) => {
  const disk = smallDisk(t);
  const files = await makeServerFiles(folder(t), join(disk, 'state'));
  const server = await ServerProcess.start(files);
  t.after(() => server.kill());
  const admin = new RawClient(server, files.admin);
  t.after(() => admin.close());
  const load = new Load(admin);
  await load.progress(200);
  fill(join(disk, 'ballast'));
  await checkReadOnly(admin, load);
  rmSync(join(disk, 'ballast'));
  await load.progress(200);
  await eventually(async () => assert.equal((await admin.send('/readyz')).text, 'ok'), patienceMs);
  await load.end();
  await server.kill();
  await checkRestarted(t, files, load);
});

test('a disk that fails to sync stops writes alone, and ends when it syncs again', async (t) => {
  const files = await makeServerFiles(folder(t), join(smallDisk(t), 'state'));
  const fault = 'inject=fdatasync:error=EIO:when=150..154';
  const strace = ['env', 'UV_THREADPOOL_SIZE=1', 'strace', '-f', '-qq', '-o', '/dev/null', '--seccomp-bpf'];
  const server = await ServerProcess.start(files, [...strace, '-e', 'trace=fdatasync', '-e', fault]);
  t.after(() => server.kill());
  const admin = new RawClient(server, files.admin);
  t.after(() => admin.close());
  const load = new Load(admin);
  await checkReadOnly(admin, load);
  await load.progress(100);
  await eventually(async () => assert.equal((await admin.send('/readyz')).text, 'ok'), patienceMs);
  await load.end();
  await server.kill();
  await checkRestarted(t, files, load);
});
