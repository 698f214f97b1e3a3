import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { definitionOf, specSchema, version } from '../extension/testing.js';
import { serverWorld } from '../testing/server-world.js';
import { kubectlFor, type Kubectl, type KubectlResult } from '../wire/kubectl.js';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

describe('the stock kubectl', () => {
  const world = serverWorld();
  const { admin } = world;
  let kubectl: Kubectl;
  before(async () => {
    kubectl = await kubectlFor(world.server.kubeconfigPath);
    const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const;
    const bars = {
      type: 'array',
      description: 'List of Bars and their specs.',
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string', description: 'Name of Bar.' },
          age: { type: 'string', description: 'Age of Bar.' },
        },
      },
    } as const;
    await define('Checked', specSchema({ bars }, { description: 'Specification of Checked' }));
    await define('Openroot', open);
    await define('Openinside', { type: 'object', properties: { spec: { ...open, description: 'Anything' } } });
  });
  after(async () => {
    await kubectl.close();
  });

  async function define(kind: string, schema: ReturnType<typeof specSchema>): Promise<void> {
    const { code, text } = await admin.send(definitions, { body: definitionOf(kind, [version('v1', { schema })]) });
    assert.equal(code, 201, text);
    await eventually(async () => {
      const { text: document } = await admin.send('/openapi/v2');
      assert.ok(document.includes(`com.example.v1.${kind}`));
    });
  }
  let files = 0;
  const run = async (verb: string, kind: string, rest: object): Promise<KubectlResult> => {
    const path = join(dirname(world.server.kubeconfigPath), `object-${files++}.json`);
    await writeFile(path, JSON.stringify({ apiVersion: 'example.com/v1', kind, metadata: { name: 'x' }, ...rest }));
    return kubectl.run(verb, '-f', path);
  };
  /** Created, applied with a change, and deleted. */
  const passes = async (kind: string, rest: object, changed: object): Promise<void> => {
    for (const [verb, given] of [
      ['create', rest],
      ['apply', changed],
      ['delete', rest],
    ] as const) {
      const { code, stderr } = await run(verb, kind, given);
      assert.equal(code, 0, stderr);
    }
  };
  const explain = async (...path: string[]): Promise<string> => {
    const { code, stdout, stderr } = await kubectl.run('explain', ...path);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  it('lets through what fits the schema of a definition, refuses what does not, and explains it', async () => {
    await passes('Checked', { spec: { bars: [{ name: 'a' }] } }, { spec: { bars: [{ name: 'a', age: '10' }] } });
    for (const wrong of [{ spec: { bars: [{ name: 'a', feeling: 'bad' }] } }, { spec: { bars: [{ age: '10' }] } }]) {
      for (const verb of ['create', 'apply']) assert.notEqual((await run(verb, 'Checked', wrong)).code, 0);
    }
    assert.match(await explain('checkeds'), /KIND:\s+Checked[^]*spec/);
    assert.match(await explain('checkeds.spec'), /Specification of Checked[^]*bars/);
    assert.match(await explain('checkeds.spec.bars'), /List of Bars and their specs\.[^]*age[^]*Age of Bar\.[^]*name/);
    assert.notEqual((await kubectl.run('explain', 'checkeds.spec.bars2')).code, 0);
  });

  it('lets any field through where the schema keeps what it does not know, at the root or below', async () => {
    await passes('Openroot', { anything: 1 }, { anything: 2, more: [{}] });
    assert.match(await explain('openroots'), /KIND:\s+Openroot[^]*^DESCRIPTION:/m);
    await passes('Openinside', { spec: { a: { b: 1 } } }, { spec: { a: { c: 2 } } });
    assert.match(await explain('openinsides.spec'), /Anything/);
  });

  /** What a proxy answers to GET /api; it ends with the test. */
  const throughProxy = async (flags: string[], target: (said: string) => object): Promise<unknown> => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: dirname(world.server.kubeconfigPath),
      KUBECONFIG: world.server.kubeconfigPath,
    };
    const proxy = spawn('kubectl', ['proxy', ...flags], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const said = await new Promise<string>((resolve) => createInterface(proxy.stdout).once('line', resolve));
      const text = await new Promise<string>((resolve, reject) => {
        const asked = request({ ...target(said), path: '/api' }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
        });
        asked.on('error', reject).end();
      });
      return (JSON.parse(text) as { versions: unknown }).versions;
    } finally {
      const ended = new Promise((resolve) => proxy.once('exit', resolve));
      proxy.kill();
      await ended;
    }
  };

  it('proxies on a port that it chooses', async () => {
    const versions = await throughProxy(['--port=0', '--disable-filter=true'], (said) => ({
      host: '127.0.0.1',
      port: Number(/:(\d+)$/.exec(said)?.[1]),
    }));
    assert.deepEqual(versions, ['v1']);
  });

  it('proxies on a socket', async () => {
    const socketPath = join(dirname(world.server.kubeconfigPath), 'proxy.sock');
    assert.deepEqual(await throughProxy([`--unix-socket=${socketPath}`], () => ({ socketPath })), ['v1']);
  });
});
