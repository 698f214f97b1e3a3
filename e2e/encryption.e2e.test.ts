import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { RawClient } from '../apiserver/testing/raw-client.js';
import { makeServerFiles, ServerProcess, type ServerFiles } from '../apiserver/testing/server-process.js';
import { readServed, rotate } from '../cli/cluster/encryption.js';
import type { Client, RawRequest } from '../shared/client/client.js';
import { clientFromKubeconfig } from '../shared/client/connect.js';
import { systemClock } from '../shared/clock/clock.js';
import { eventually } from '../shared/clock/eventually.js';
import { readConfig } from '../shared/encryption/key-file.js';
import { testFolder } from '../apiserver/testing/test-folder.js';

const secrets = '/api/v1/namespaces/default/secrets';
const count = 300;
const keyFile = (directory: string): string => join(directory, 'files', 'encryption.json');

/** A server of its own process with Secrets in it, and what it takes to rotate its keys. */
class EncryptedServer {
  readonly directory = testFolder('encryption');
  readonly path = keyFile(this.directory);
  #files: ServerFiles | undefined;
  #server: ServerProcess | undefined;
  #client: Client | undefined;
  #raw: RawClient | undefined;

  async start(): Promise<void> {
    this.#files ??= await makeServerFiles(join(this.directory, 'files'), join(this.directory, 'state'));
    this.#server = await ServerProcess.start(this.#files);
    const { admin, ca } = this.#files;
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const cluster = { server: `https://127.0.0.1:${this.#server.port}`, 'certificate-authority-data': base64(ca) };
    const user = { 'client-certificate-data': base64(admin.certificate), 'client-key-data': base64(admin.key) };
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    const file = join(this.directory, 'kubeconfig');
    writeFileSync(file, JSON.stringify(kubeconfig));
    this.#client = await clientFromKubeconfig(file, { clock: systemClock, userAgent: 'test', timeoutMs: 10_000 });
    this.#raw = new RawClient(this.#server, admin);
  }

  get client(): Client {
    return this.#client ?? assert.fail('not started');
  }

  get raw(): RawClient {
    return this.#raw ?? assert.fail('not started');
  }

  async kill(): Promise<void> {
    this.#client?.close();
    this.#raw?.close();
    await this.#server?.kill();
  }

  async fill(resource: string): Promise<void> {
    for (let i = 0; i < count; i++) {
      const body = {
        metadata: { name: `s-${i}` },
        [resource === 'secrets' ? 'stringData' : 'data']: { v: `value ${i}` },
      };
      assert.equal((await this.raw.send(`/api/v1/namespaces/default/${resource}`, { body })).code, 201);
    }
  }

  rotate(
    resources?: readonly string[],
    onStep: (step: string) => void = () => undefined,
    client = this.client,
  ): Promise<string> {
    const { path } = this;
    const signal = AbortSignal.timeout(60_000);
    const chosen = resources ? { resources } : {};
    return rotate({ path, client, clock: systemClock, signal, say: onStep, ...chosen });
  }

  /** Every Secret is readable, and encrypted with this key alone. */
  async assertEncryptedWith(id: string): Promise<void> {
    const { json } = await this.raw.send(secrets);
    const { items } = json as unknown as { items: { metadata: { name: string }; data: { v: string } }[] };
    const values = new Map(items.map(({ metadata, data }) => [metadata.name, data.v]));
    for (let i = 0; i < count; i++) {
      assert.equal(Buffer.from(values.get(`s-${i}`) ?? '', 'base64').toString(), `value ${i}`);
    }
    await eventually(async () => {
      const { objects } = await readServed(this.client, AbortSignal.timeout(5_000));
      const kept = objects.filter(({ resource }) => resource === 'secrets');
      assert.deepEqual(
        kept.map(({ keyId, isStale }) => [keyId, isStale]),
        [[id, false]],
      );
      assert.ok((kept[0]?.count ?? 0) >= count);
    });
    assert.deepEqual(
      readConfig(this.path).keys.map((key) => key.id),
      [id],
    );
  }
}

class Stopped extends Error {}

/** The same client; `told` hears of each PATCH that was answered. */
const tellingOfPatches = (client: Client, told: () => void): Client =>
  new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'raw') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return async (request: RawRequest) => {
        const answer = await target.raw(request);
        if (request.method === 'PATCH') told();
        return answer;
      };
    },
  });

describe('rotating the keys of a running server', { timeout: 180_000 }, () => {
  const server = new EncryptedServer();
  /** A revision of before all rotations. */
  let past = '';
  before(async () => {
    await server.start();
    await server.fill('secrets');
    past = await revision();
  });
  after(async () => {
    await server.kill();
    rmSync(server.directory, { recursive: true });
  });

  async function revision(): Promise<string> {
    const { json } = await server.raw.send(secrets);
    return ((json?.['metadata'] ?? {}) as { resourceVersion: string }).resourceVersion;
  }

  it('leaves nothing with the old key, while Secrets are read and written all the time', async () => {
    let isDone = false;
    const traffic = async (name: string): Promise<number> => {
      let exchanges = 0;
      for (; !isDone; exchanges++) {
        const method = exchanges % 2 === 0 ? 'GET' : 'PUT';
        const body = { metadata: { name }, stringData: { v: `value ${name.slice(2)}`, n: String(exchanges) } };
        const sent = method === 'GET' ? { method } : { method, body };
        assert.equal((await server.raw.send(`${secrets}/${name}`, sent)).code, 200);
      }
      return exchanges;
    };
    const busy = ['s-1', 's-2'].map(traffic);
    assert.equal(await server.rotate(), 'key-2');
    isDone = true;
    for (const exchanges of await Promise.all(busy)) assert.ok(exchanges > 10, `${exchanges} exchanges`);
    await server.assertEncryptedWith('key-2');
  });

  it('survives a restart without the old key, and says that history before is gone instead of failing', async () => {
    const now = await revision();
    await server.kill();
    await server.start();
    await server.assertEncryptedWith('key-2');
    const gone = await server.raw.send(`${secrets}?resourceVersion=${past}&resourceVersionMatch=Exact`);
    assert.equal(gone.code, 410);
    const watch = await server.raw.send(`${secrets}?watch=1&timeoutSeconds=1&resourceVersion=${past}`);
    assert.match(watch.text, /^\{"type":"ERROR".*"code":410/);
    const live = await server.raw.send(`${secrets}?watch=1&timeoutSeconds=1&resourceVersion=${now}`);
    assert.ok(!live.text.includes('ERROR'), live.text);
  });

  // The server dies, and so does the command, when this step was announced.
  for (const [at, id] of [
    [/^add/, 'key-3'],
    [/^encrypt with/, 'key-4'],
    [/^write/, 'key-5'],
    [/^remove/, 'key-6'],
  ] as const) {
    it(`goes on after kill -9 of server and command at the step "${at.source.slice(1)}"`, async () => {
      let killed: Promise<void> | undefined;
      const interrupted = server.rotate(undefined, (step) => {
        if (!at.test(step)) return;
        killed = server.kill();
        throw new Stopped();
      });
      await assert.rejects(interrupted, Stopped);
      await killed;
      await server.start();
      assert.equal(await server.rotate(), id);
      await server.assertEncryptedWith(id);
    });
  }

  it('goes on after the server alone was killed while it was rewriting', async () => {
    let killed: Promise<void> | undefined;
    let rewritten = 0;
    const client = tellingOfPatches(server.client, () => {
      if (++rewritten === count / 10) killed = server.kill();
    });
    await assert.rejects(server.rotate(undefined, undefined, client));
    await (killed ?? assert.fail('it ended before'));
    assert.ok(rewritten < count);
    await server.start();
    assert.equal(await server.rotate(), 'key-7');
    await server.assertEncryptedWith('key-7');
  });

  it('encrypts chosen kinds too, and stops doing so', async () => {
    await server.fill('configmaps');
    const onDisk = async (): Promise<Record<string, unknown>> => {
      const { objects } = await readServed(server.client, AbortSignal.timeout(5_000));
      return Object.fromEntries(objects.map(({ resource, keyId }) => [resource, keyId]));
    };
    await server.rotate(['secrets', 'configmaps']);
    assert.deepEqual(await onDisk(), { secrets: 'key-8', configmaps: 'key-8' });
    await server.assertEncryptedWith('key-8');
    await server.kill();
    await server.start();
    await server.rotate(['secrets']);
    await server.assertEncryptedWith('key-9');
    assert.equal((await onDisk())['configmaps'] ?? '', '');
    const { json } = await server.raw.send('/api/v1/namespaces/default/configmaps/s-7');
    assert.deepEqual(json?.['data'], { v: 'value 7' });
  });

  it('keeps the keys in use when the file becomes unusable', async () => {
    const good = readFileSync(server.path, 'utf8');
    writeFileSync(server.path, '{');
    assert.equal((await server.raw.send(`${secrets}/s-1`)).code, 200);
    const body = { metadata: { name: 'later' }, stringData: { v: '1' } };
    assert.equal((await server.raw.send(secrets, { body })).code, 201);
    writeFileSync(server.path, good);
    await server.raw.send(`${secrets}/later`, { method: 'DELETE' });
    await server.assertEncryptedWith('key-9');
  });
});
