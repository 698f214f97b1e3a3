import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { EncryptedStorage, StorageEncryptionError } from './encrypted-storage.js';
import { loadOrCreateKeys, rotateKeys, type EncryptionKey } from './encryption-keys.js';
import { MemoryStorage } from './memory-storage.js';
import { storageSuite } from './storage-suite.js';
import type { StorageEvent } from './storage.js';

const key = (id: string): EncryptionKey => ({ id, secret: randomBytes(32) });
const secrets = '/registry/core/secrets/';
const text = (value: string) => (): Buffer => Buffer.from(value);

// Everything encrypted, so that the suite meets the wrapper in each of its tests.
storageSuite('encrypted', async () => new EncryptedStorage(new MemoryStorage(), { keys: [key('a')], prefixes: ['/'] }));

describe('encryption', () => {
  test('Secrets are not readable in the store below; other kinds are as they were', async () => {
    const inner = new MemoryStorage();
    const storage = new EncryptedStorage(inner, { keys: [key('a')] });
    await storage.put(`${secrets}ns/s`, text('{"data":"password"}'), 0);
    await storage.put('/registry/core/secretsx/ns/s', text('plain'), 0);
    assert.ok(!(await inner.get(`${secrets}ns/s`))?.value.includes('password'));
    assert.equal((await storage.get(`${secrets}ns/s`))?.value.toString(), '{"data":"password"}');
    assert.equal((await inner.get('/registry/core/secretsx/ns/s'))?.value.toString(), 'plain');
  });

  test('the same bytes never look the same twice', async () => {
    const inner = new MemoryStorage();
    const storage = new EncryptedStorage(inner, { keys: [key('a')] });
    await storage.put(`${secrets}s`, text('x'), 0);
    await storage.put(`${secrets}s`, text('x'), 1);
    assert.notDeepEqual(await inner.getAt(`${secrets}s`, 1), await inner.get(`${secrets}s`));
  });

  test('a record in another place, tampered with, of a wrong or unknown key, or in plain text is an error that names it', async () => {
    const inner = new MemoryStorage();
    const [a, b] = [key('a'), key('b')];
    const storage = new EncryptedStorage(inner, { keys: [a] });
    await storage.put(`${secrets}s`, text('{"data":"password"}'), 0);
    const sealed = (await inner.get(`${secrets}s`))?.value ?? Buffer.alloc(0);
    await inner.put(`${secrets}moved`, () => sealed, 0);
    await inner.put(`${secrets}plain`, text('{}'), 0);
    for (let at = 0; at < sealed.length; at++) {
      const bent = Buffer.from(sealed);
      bent[at] = (bent[at] ?? 0) ^ 1;
      await inner.put(`${secrets}bent-${at}`, () => bent, 0);
      await inner.put(`${secrets}short-${at}`, () => sealed.subarray(0, at), 0);
    }
    const names = (await inner.list(secrets)).items.map((item) => item.key).filter((name) => name !== `${secrets}s`);
    assert.equal(names.length, 2 * sealed.length + 2);
    const isNamed = (name: string) => (error: unknown) =>
      error instanceof StorageEncryptionError && error.message.includes(name) && !error.message.includes('password');
    for (const name of names) await assert.rejects(storage.get(name), isNamed(name));
    const unknown = new EncryptedStorage(inner, { keys: [b] });
    await assert.rejects(unknown.get(`${secrets}s`), isNamed(`${secrets}s`));
    const wrong = new EncryptedStorage(inner, { keys: [{ id: 'a', secret: b.secret }] });
    await assert.rejects(wrong.get(`${secrets}s`), isNamed(`${secrets}s`));
    await assert.rejects(wrong.list('/registry/'), StorageEncryptionError);
    await assert.rejects(
      wrong.watch('/', 0, () => assert.fail('no event may be told')),
      StorageEncryptionError,
    );
  });

  test('a new first key takes over: old records are read, and reencrypt leaves none behind', async () => {
    const inner = new MemoryStorage();
    const [old, fresh] = [key('old'), key('fresh')];
    const before = new EncryptedStorage(inner, { keys: [old] });
    for (let i = 0; i < 250; i++) await before.put(`${secrets}s${i}`, text(`secret ${i}`), 0);
    const both = new EncryptedStorage(inner, { keys: [fresh, old] });
    await both.put(`${secrets}s0`, text('secret 0'), 1);
    assert.equal((await both.get(`${secrets}s1`))?.value.toString(), 'secret 1');
    const restamp = (value: Buffer, revision: number): Buffer => Buffer.from(`${value.toString()} at ${revision}`);
    assert.equal(await both.reencrypt(restamp), 249);
    assert.equal(await both.reencrypt(restamp), 0);
    const after = new EncryptedStorage(inner, { keys: [fresh] });
    const { items } = await after.list(secrets);
    assert.equal(items.length, 250);
    for (const item of items.slice(1))
      assert.match(item.value.toString(), new RegExp(`^secret \\d+ at ${item.revision}$`));
    const events: StorageEvent[] = [];
    await both.watch(secrets, 0, (some) => events.push(...some));
    assert.equal(events[1]?.value.toString(), 'secret 1', 'history is read with the old key');
  });
});

describe('the key file', () => {
  const place = (t: TestContext): string => {
    const directory = mkdtempSync(join(tmpdir(), 'knarr-keys-'));
    t.after(() => rmSync(directory, { recursive: true }));
    return join(directory, 'keys.json');
  };

  test('is made once, for its owner only, and then read', (t) => {
    const path = place(t);
    const made = loadOrCreateKeys(path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(loadOrCreateKeys(path), made);
    assert.equal(made[0].secret.length, 32);
  });

  test('rotation puts a new key in front', (t) => {
    const path = place(t);
    const [first] = loadOrCreateKeys(path);
    const rotated = rotateKeys(path);
    assert.deepEqual(
      rotated.map((one) => one.id),
      ['key-2', 'key-1'],
    );
    assert.deepEqual(rotated[1], first);
    assert.deepEqual(loadOrCreateKeys(path), rotated);
  });

  test('a file that is damaged or open to others is refused without telling what is in it', (t) => {
    const path = place(t);
    loadOrCreateKeys(path);
    const good = readFileSync(path, 'utf8');
    const secret = /"secret": "([^"]+)"/.exec(good)?.[1] ?? assert.fail();
    for (const bad of [
      good.slice(0, -4),
      good.replace(secret, secret.slice(8)),
      '{}',
      '{"keys":[]}',
      '{"keys":[null]}',
    ]) {
      writeFileSync(path, bad);
      assert.throws(
        () => loadOrCreateKeys(path),
        (error: Error) => error.message.includes(path) && !error.message.includes(secret.slice(8, 20)),
      );
    }
    writeFileSync(path, good);
    chmodSync(path, 0o644);
    assert.throws(() => loadOrCreateKeys(path), /chmod 600/);
  });
});
