import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { keyIdOf } from '../apiserver/storage/sealed-record.js';
import { LevelStorage } from '../apiserver/storage/level-storage.js';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { readConfig, type EncryptionConfig, type EncryptionKey } from '../shared/encryption/key-file.js';
import { Background } from './lab/background.js';
import { TestCluster } from './lab/cluster.js';
import type { ReadReport } from './lab/secret-reads.js';

const count = 200;
/** Random, so that a compressed file has it as it is. */
const hidden = randomBytes(24).toString('hex');
const open = randomBytes(24).toString('hex');

const names = Array.from({ length: count }, (_, index) => index);
const objects = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    ...names.map((index) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `s-${index}` },
      stringData: { value: `${hidden}${index}` },
    })),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'open' }, data: { value: open } },
  ],
};

/** When to kill the API server: at what a rotation has written into the key file. */
const moments: readonly (readonly [name: string, isNow: (config: EncryptionConfig) => boolean])[] = [
  ['when the new key is in the file', ({ rotation }) => rotation !== undefined],
  ['while objects are written again', ({ rotation, keys }) => keys[0].id === rotation],
];

describe('the encryption keys of a cluster that is used', () => {
  let cluster: TestCluster;
  let reader: Background<ReadReport> | undefined;
  const former: EncryptionKey[] = [];
  TestCluster.explainFailures(() => cluster);
  const state = (...path: string[]): string => join(cluster.host.directory, 'home', '.knarr', 'default', ...path);
  const config = (): EncryptionConfig => readConfig(state('pki', 'encryption.json'));
  const status = async (): Promise<string> => (await cluster.knarr(['encryption', 'status'])).stdout;

  before(async () => {
    cluster = await TestCluster.start();
    await cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(objects) });
    reader = Background.start(cluster.host, [
      process.execPath,
      resolve('dist/e2e/lab/secret-reads.js'),
      String(count),
      hidden,
    ]);
  });
  after(async () => {
    reader?.stop();
    await cluster?.destroy();
  });

  test('status tells the key and what is encrypted with it', async () => {
    assert.match(await status(), /^key: key-1 \(encrypts\)$/m);
    assert.match(await status(), /^in use by the API server: yes$/m);
    assert.match(await status(), /^secrets: 2\d\d with key-1$/m);
  });

  test('a rotation takes nothing but its command', async () => {
    former.push(config().keys[0]);
    const { stderr } = await cluster.knarr(['encryption', 'rotate']);
    assert.match(stderr, /everything is encrypted with key-2/);
    assert.match(await status(), /^secrets: 2\d\d with key-2$/m);
  });

  for (const [name, isNow] of moments) {
    test(`a rotation goes on when the API server is killed ${name}`, async () => {
      former.push(config().keys[0]);
      const pid = await cluster.pidOf('apiserver');
      const first = cluster.knarr(['encryption', 'rotate'], { accept: [1] });
      await eventually(() => assert.ok(isNow(config())), 20_000, 1);
      process.kill(pid, 'SIGKILL');
      await first;
      await cluster.waitUntilHealthy();
      const unfinished = config().rotation ?? assert.fail('the rotation was over before the server died');
      assert.match(await status(), new RegExp(`^a rotation to ${unfinished} is not finished`, 'm'));
      await cluster.knarr(['encryption', 'rotate']);
      assert.deepEqual(
        config().keys.map(({ id }) => id),
        [unfinished],
      );
      assert.match(await status(), new RegExp(`^secrets: 2\\d\\d with ${unfinished}$`, 'm'));
    });
  }

  test('every Secret could be read all the time, but for the moments in which the server was dead', async () => {
    const report = (await reader?.end()) ?? assert.fail('nobody read');
    reader = undefined;
    assert.equal(report.wrong, 0, report.firstWrong);
    // How many depends on how long the rotations took; without a reader that works there are none.
    assert.ok(report.answered > count, `${report.answered} answers`);
    assert.ok(report.longestGapMs < 10_000, `${report.longestGapMs} ms without an answer`);
  });

  test('nothing on the disk is plain, nor encrypted with a former key, and no former key is left', async () => {
    const [{ id }] = config().keys;
    await cluster.knarr(['stop']);
    const storage = await LevelStorage.open({ directory: state('db'), clock: systemClock });
    try {
      const { items } = await storage.list('/registry/core/secrets/');
      assert.ok(items.length >= count);
      assert.deepEqual([...new Set(items.map(({ value }) => keyIdOf(value)))], [id]);
    } finally {
      await storage.close();
    }
    assert.ok(
      filesWith(open).some((file) => file.includes('/db/')),
      'what is not encrypted is found',
    );
    assert.deepEqual(filesWith(hidden), []);
    assert.deepEqual(filesWith(Buffer.from(hidden).toString('base64')), []);
    assert.equal(former.length, 3);
    for (const { secret } of former) {
      for (const written of [secret, secret.toString('base64'), secret.toString('hex')])
        assert.deepEqual(filesWith(written), []);
    }
    await cluster.knarr(['start']);
    await cluster.waitUntilHealthy();
    const value = await cluster.kubectl(['get', 'secret', 's-7', '-o', 'jsonpath={.data.value}']);
    assert.equal(Buffer.from(value, 'base64').toString(), `${hidden}7`);
  });

  /** Files of the cluster's folder that contain this. */
  function filesWith(content: string | Buffer): string[] {
    return readdirSync(state(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => readFileSync(file).includes(content));
  }
});
