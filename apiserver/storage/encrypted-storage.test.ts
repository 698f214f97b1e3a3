import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { EncryptionKey } from '../../shared/encryption/key-file.js';
import { EncryptedStorage } from './encrypted-storage.js';
import { MemoryStorage } from './memory-storage.js';
import { StorageEncryptionError } from './sealed-record.js';
import { storageSuite } from './storage-suite.js';
import { StorageCompactedError } from './storage.js';

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

  test('other rules hold from the next write on; what was written before is read, counted, and stale until it is written again', async () => {
    const inner = new MemoryStorage();
    const [old, fresh] = [key('old'), key('fresh')];
    const storage = new EncryptedStorage(inner, { keys: [old] });
    for (let i = 0; i < 250; i++) await storage.put(`${secrets}ns/s${i}`, text(`secret ${i}`), 0);
    await storage.put('/registry/apps/deployments/ns/d', text('plain'), 0);
    await storage.useRules({ keys: [old, fresh] });
    assert.deepEqual(storage.counts(), [{ prefix: secrets, keyId: 'old', count: 250 }]);
    assert.equal(storage.isStale(`${secrets}ns/s1`), false);
    await storage.useRules({ keys: [fresh, old] });
    assert.equal(storage.isStale(`${secrets}ns/s1`), true);
    assert.equal(storage.isStale(`${secrets}ns/none`), false);
    await assert.rejects(storage.useRules({ keys: [fresh] }), /the key "old" is missing: 250 records/);
    assert.equal((await storage.get(`${secrets}ns/s1`))?.value.toString(), 'secret 1');
    for (let i = 0; i < 249; i++) await storage.put(`${secrets}ns/s${i}`, text(`secret ${i}`), i + 1);
    await storage.delete(`${secrets}ns/s249`, 250);
    assert.deepEqual(storage.counts(), [{ prefix: secrets, keyId: 'fresh', count: 249 }]);
    await storage.useRules({ keys: [fresh] });
    assert.equal((await storage.list(secrets)).items.length, 249);
    await assert.rejects(storage.getAt(`${secrets}ns/s1`, 100), StorageCompactedError);
    await assert.rejects(storage.list(secrets, { revision: 100 }), StorageCompactedError);
    await assert.rejects(
      storage.watch(secrets, 0, () => undefined),
      StorageCompactedError,
    );
  });

  test('a further kind is encrypted as it is written again, and plain text counts as tampered with after that', async () => {
    const inner = new MemoryStorage();
    const keys = [key('a')] as const;
    const storage = new EncryptedStorage(inner, { keys });
    const configMaps = '/registry/core/configmaps/';
    await storage.put(`${configMaps}ns/c`, text('{"a":1}'), 0);
    await storage.useRules({ keys, prefixes: [secrets, configMaps], acceptsPlain: true });
    assert.deepEqual(storage.counts(), [{ prefix: configMaps, keyId: undefined, count: 1 }]);
    assert.equal(storage.isStale(`${configMaps}ns/c`), true);
    assert.equal((await storage.get(`${configMaps}ns/c`))?.value.toString(), '{"a":1}');
    await storage.put(`${configMaps}ns/c`, text('{"a":1}'), 1);
    assert.equal(storage.isStale(`${configMaps}ns/c`), false);
    assert.ok(!(await inner.get(`${configMaps}ns/c`))?.value.includes('"a"'));
    await storage.useRules({ keys, prefixes: [secrets, configMaps] });
    await inner.put(`${configMaps}ns/forged`, text('{}'), 0);
    await assert.rejects(storage.get(`${configMaps}ns/forged`), StorageEncryptionError);
    await storage.useRules({ keys, prefixes: [secrets] });
    assert.equal(storage.isStale(`${configMaps}ns/c`), true);
    assert.equal((await storage.get(`${configMaps}ns/c`))?.value.toString(), '{"a":1}', 'it is read as before');
  });
});
