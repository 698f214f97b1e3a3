import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../clock/eventually.js';
import { FakeClock } from '../clock/fake-clock.js';
import type { Client } from './client.js';
import { followKubeconfig } from './kubeconfig-follower.js';
import { ReplaceableClient } from './replaceable-client.js';

/** A client that tells which credentials it has, and whether it was closed. */
class NamedClient {
  readonly server: string;
  isClosed = false;
  constructor(server: string) {
    this.server = server;
  }
  close(): void {
    this.isClosed = true;
  }
}
const asClient = (named: NamedClient): Client => named as unknown as Client;

test('a client is exchanged when its kubeconfig changes; a file that cannot be used leaves it as it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-follower-'));
  const path = join(folder, 'kubelet.conf');
  await writeFile(path, 'old');
  const first = new NamedClient('old');
  const client = new ReplaceableClient(asClient(first));
  const clock = new FakeClock();
  const stop = new AbortController();
  const problems: unknown[] = [];
  let connections = 0;
  const connect = async (): Promise<Client> => {
    connections++;
    const text = await readFile(path, 'utf8');
    if (text === 'broken') throw new Error('not a kubeconfig');
    return asClient(new NamedClient(text));
  };
  const following = followKubeconfig(
    { path, text: 'old', client, connect, clock, onProblem: (error) => problems.push(error) },
    stop.signal,
  );
  const nextLook = async (): Promise<void> => {
    await eventually(() => assert.equal(clock.pending, 1));
    await clock.advance(30_000);
    await eventually(() => assert.equal(clock.pending, 1));
  };

  await nextLook();
  assert.deepEqual([client.server, connections], ['old', 0], 'the same text is not connected with again');
  await writeFile(path, 'broken');
  await nextLook();
  await rm(path);
  await nextLook();
  assert.deepEqual([client.server, problems.length, first.isClosed], ['old', 2, false]);
  await writeFile(path, 'new');
  await nextLook();
  assert.deepEqual([client.server, first.isClosed], ['new', true]);
  await nextLook();
  assert.equal(connections, 2);
  stop.abort();
  await following;
  await rm(folder, { recursive: true });
});
