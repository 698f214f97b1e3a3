import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { hashOfConfig, loadOrCreateConfig, newKey, readConfig, writeConfig } from './key-file.js';

describe('the key file', () => {
  const place = (t: TestContext): string => {
    const directory = mkdtempSync(join(tmpdir(), 'knarr-keys-'));
    t.after(() => rmSync(directory, { recursive: true }));
    return join(directory, 'keys.json');
  };

  test('is made once, for its owner only, and then read', (t) => {
    const path = place(t);
    const made = loadOrCreateConfig(path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(loadOrCreateConfig(path), made);
    assert.deepEqual([made.keys[0].secret.length, made.resources, made.identity], [32, ['secrets'], false]);
  });

  test('keeps what is written, and its hash tells contents apart', (t) => {
    const path = place(t);
    const first = loadOrCreateConfig(path);
    const next = newKey(first.keys);
    assert.equal(next.id, 'key-2');
    const more = {
      keys: [next, ...first.keys] as const,
      resources: ['secrets', 'deployments.apps'],
      identity: true,
      rotation: 'key-2',
    };
    writeConfig(path, more);
    assert.deepEqual(readConfig(path), more);
    assert.equal(hashOfConfig(readConfig(path)), hashOfConfig(more));
    assert.notEqual(hashOfConfig(first), hashOfConfig(more));
  });

  test('of an older version encrypts Secrets', (t) => {
    const path = place(t);
    const { keys } = loadOrCreateConfig(path);
    const old = { keys: keys.map(({ id, secret }) => ({ id, secret: secret.toString('base64') })) };
    writeFileSync(path, JSON.stringify(old));
    assert.deepEqual(readConfig(path), { keys, resources: ['secrets'], identity: false, rotation: undefined });
  });

  test('that is damaged or open to others is refused without telling what is in it', (t) => {
    const path = place(t);
    loadOrCreateConfig(path);
    const good = readFileSync(path, 'utf8');
    const secret = /"secret": "([^"]+)"/.exec(good)?.[1] ?? assert.fail();
    for (const bad of [
      good.slice(0, -4),
      good.replace(secret, secret.slice(8)),
      good.replace('"secrets"', '"../x"'),
      good.replace('"resources"', '"rotation": "key-9", "resources"'),
      good.replace('"resources"', '"identity": 1, "resources"'),
      '{}',
      '{"keys":[]}',
      '{"keys":[null]}',
    ]) {
      writeFileSync(path, bad);
      assert.throws(
        () => loadOrCreateConfig(path),
        (error: Error) => error.message.includes(path) && !error.message.includes(secret.slice(8, 20)),
        bad,
      );
    }
    writeFileSync(path, good);
    chmodSync(path, 0o644);
    assert.throws(() => loadOrCreateConfig(path), /chmod 600/);
  });
});
