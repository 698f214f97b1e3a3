import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../shared/clock/clock.js';
import type { Log, LogFields } from '../shared/log/log.js';
import { EncryptedStorage } from './storage/encrypted-storage.js';
import { loadOrCreateConfig } from '../shared/encryption/key-file.js';
import { LevelStorage } from './storage/level-storage.js';
import { RawClient, type RawAnswer } from './testing/raw-client.js';
import { startTestServer, type TestServer } from './testing/test-server.js';
import { testFolder } from './testing/test-folder.js';

const core = '/api/v1/namespaces/default';
const marker = 'correct-horse-battery-staple';
const encoded = Buffer.from(marker).toString('base64');

/** Keeps every line of every level, with all that a serializer could print. */
class KeptLog implements Log {
  readonly lines: string[] = [];
  readonly #keep = (message: string, fields: LogFields = {}): void => {
    this.lines.push(`${message} ${inspect(fields, { depth: 10, showHidden: true })}`);
  };
  readonly debug = this.#keep;
  readonly info = this.#keep;
  readonly warn = this.#keep;
  readonly error = this.#keep;
  child(): Log {
    return this;
  }
}

describe('what is secret', () => {
  const directory = testFolder('secrecy');
  const log = new KeptLog();
  const tokens: string[] = [];
  const answers: RawAnswer[] = [];
  let server: TestServer;
  let admin: RawClient;

  before(async () => {
    const level = await LevelStorage.open({ directory: join(directory, 'db'), clock: systemClock, log });
    const storage = new EncryptedStorage(level, loadOrCreateConfig(join(directory, 'encryption.json')));
    server = await startTestServer({ storage, log, disabledAdmission: [] });
    admin = new RawClient(server, server.admin);
    await useSecrets();
  });
  after(async () => {
    admin.close();
    rmSync(directory, { recursive: true });
  });

  /** All the ways in which a secret comes in, well formed and not. */
  async function useSecrets(): Promise<void> {
    const secrets = `${core}/secrets`;
    const named = { metadata: { name: 's' } };
    const made = await admin.send(secrets, { body: { ...named, stringData: { password: marker } } });
    assert.equal(made.code, 201, made.text);
    const merge = { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' } };
    await admin.send(`${secrets}/s`, { ...merge, body: { data: { more: encoded } } });
    await admin.send(`${secrets}/s`, {
      method: 'PUT',
      body: { ...named, data: { password: encoded, third: encoded } },
    });
    await admin.send(`${core}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
    const issued = await admin.send(`${core}/serviceaccounts/default/token`, { body: { spec: { audiences: [] } } });
    const { token } = (issued.json as unknown as { status: { token: string } }).status;
    tokens.push(token);
    for (const wrong of [token, `${token}x`, 'abcdef.0123456789abcdef']) {
      answers.push(await new RawClient(server).send(secrets, { headers: { authorization: `Bearer ${wrong}` } }));
    }
    answers.push(
      await admin.send(secrets, { body: { ...named, stringData: { password: marker } } }),
      await admin.send(secrets, {
        body: { metadata: { name: 'NOT' }, type: 'kubernetes.io/tls', stringData: { a: marker } },
      }),
      await admin.send(`${secrets}/s?resourceVersion=1`, { ...merge, body: { metadata: { resourceVersion: '1' } } }),
    );
  }

  it('is encrypted on the disk, in whatever file', () => {
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const texts = files.map((file) => readFileSync(join(file.parentPath, file.name)));
    assert.ok(
      texts.some((text) => text.includes('"kind":"ServiceAccount"') || text.includes('/registry/core/secrets/')),
    );
    for (const [i, text] of texts.entries()) {
      for (const secret of [marker, encoded, ...tokens]) {
        assert.ok(!text.includes(secret), `${files[i]?.name} holds the secret in the clear`);
      }
    }
  });

  it('is kept in files that their owner alone reads', () => {
    assert.equal(statSync(join(directory, 'encryption.json')).mode & 0o777, 0o600);
    assert.equal(statSync(join(directory, 'db')).mode & 0o077, 0);
  });

  it('is not repeated by refusals', () => {
    assert.deepEqual(
      answers.map(({ code }) => code),
      [403, 401, 401, 409, 422, 409],
    );
    for (const { text } of answers) {
      for (const secret of [marker, encoded, ...tokens]) assert.ok(!text.includes(secret), text);
    }
  });

  it('stands in no line of the log, of any level', async () => {
    await server.close();
    assert.ok(log.lines.length > 0);
    const text = log.lines.join('\n');
    for (const secret of [marker, encoded, ...tokens, server.serviceAccountKey.split('\n')[1] ?? '?']) {
      assert.ok(!text.includes(secret), 'a line holds a secret');
    }
  });
});
