import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { patching, startTestWebhook } from '../admission/webhook/testing.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';
import { startTestConversion, success, type TestConversion } from './testing-webhook.js';
import { definitionOf, specSchema, version } from './testing.js';
import { testFolder } from '../testing/test-folder.js';

type Json = Record<string, unknown>;

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const path = (name = '', of = 'v1', kind = 'link'): string =>
  `/apis/example.com/${of}/namespaces/default/${kind}s${name === '' ? '' : `/${name}`}`;

const address = specSchema({ address: { type: 'string' }, replicas: { type: 'integer' } });
const parts = specSchema({
  host: { type: 'string' },
  port: { type: 'string', maxLength: 5 },
  replicas: { type: 'integer' },
});
const column = (name: string) => ({ name, type: 'string', jsonPath: `.spec.${name.toLowerCase()}` });
const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
const v1 = {
  schema: address,
  more: { additionalPrinterColumns: [column('Address')], subresources: { status: {}, scale } },
};
const v2 = {
  schema: parts,
  more: {
    additionalPrinterColumns: [column('Host'), column('Port')],
    selectableFields: [{ jsonPath: '.spec.host' }],
    subresources: { status: {}, scale },
  },
};

const world = serverWorld();
const { admin: client } = world;
let webhook: TestConversion;
let directory: string;
let kind = 'Link';
let turn = 0;

before(async () => {
  webhook = await startTestConversion();
  directory = testFolder('conversion');
});
after(async () => {
  await webhook.close();
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  webhook.answer = success;
  kind = `Link${(turn += 1)}`;
  const versions = [version('v1', v1), version('v2', { ...v2, isStorage: false })];
  const made = await client.send(definitionsPath, {
    body: definitionOf(kind, versions, { conversion: webhook.conversion }),
  });
  assert.equal(made.code, 201, made.text);
  await eventually(async () => assert.equal((await client.send(at())).code, 200));
  webhook.asked.length = 0;
});

const at = (name = '', of = 'v1'): string => path(name, of, kind.toLowerCase());
const definitionPath = (): string => `${definitionsPath}/${kind.toLowerCase()}s.example.com`;
const link = (name: string, spec: Json, of = 'v1'): Json => ({
  apiVersion: `example.com/${of}`,
  kind,
  metadata: { name },
  spec,
});
const specOf = ({ json, text }: RawAnswer): unknown => {
  assert.ok(json?.['spec'], text);
  return json['spec'];
};
const metadataOf = ({ json, text }: RawAnswer): Json => {
  assert.ok(json?.['metadata'], text);
  return json['metadata'] as Json;
};
const itemsOf = ({ json, text }: RawAnswer): { metadata: { name: string }; apiVersion: string; spec: Json }[] => {
  assert.ok(json?.['items'], text);
  return json['items'] as { metadata: { name: string }; apiVersion: string; spec: Json }[];
};
const patch = (url: string, body: unknown, type = 'merge-patch+json'): Promise<RawAnswer> =>
  client.send(url, { method: 'PATCH', body, headers: { 'content-type': `application/${type}` } });

/** Makes another version the stored one; what is stored stays as it is. */
async function storeAs(index: number): Promise<void> {
  const change = [0, 1].map((one) => ({
    op: 'replace',
    path: `/spec/versions/${one}/storage`,
    value: one === index,
  }));
  assert.equal((await patch(definitionPath(), change, 'json-patch+json')).code, 200);
  const wanted = `v${index + 1}`;
  await eventually(async () => {
    const { json } = await client.send(definitionPath());
    assert.ok(JSON.stringify(json?.['status']).includes(`"${wanted}"`));
  });
}

interface Watch {
  readonly lines: Json[];
  readonly isEnded: () => boolean;
  stop(): void;
}

function watch(url: string): Promise<Watch> {
  const { certificate: cert, key } = world.server.admin;
  const options: RequestOptions = { ca: world.server.ca, cert, key, host: '127.0.0.1', port: world.server.port };
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, path: `${url}?watch=true` });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      const lines: Json[] = [];
      let text = '';
      let isEnded = false;
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const whole = text.split('\n');
        text = whole.pop() ?? '';
        lines.push(...whole.map((line) => JSON.parse(line) as Json));
      });
      answer.on('end', () => (isEnded = true));
      answer.on('error', () => (isEnded = true));
      resolve({ lines, isEnded: () => isEnded, stop: () => void sent.destroy() });
    });
    sent.end();
  });
}

const seen = ({ lines }: Watch): unknown[] =>
  lines.map(({ type, object }) => [type, (object as Json)['apiVersion'], (object as { spec: unknown }).spec]);

describe('objects that a webhook converts', () => {
  it('are written and read in every version, and keep what is theirs', async () => {
    const made = await client.send(at('', 'v2'), { body: link('a', { host: 'h', port: '1' }, 'v2') });
    assert.equal(made.code, 201, made.text);
    assert.equal(made.json?.['apiVersion'], 'example.com/v2');
    assert.deepEqual(specOf(made), { host: 'h', port: '1' });
    assert.deepEqual(specOf(await client.send(at('a'))), { address: 'h:1' });
    const patched = await patch(at('a', 'v2'), { spec: { port: '2' } });
    assert.deepEqual(specOf(patched), { host: 'h', port: '2' });
    assert.equal(metadataOf(patched)['generation'], 2);
    const applied = await patch(
      `${at('b', 'v2')}?fieldManager=me`,
      link('b', { host: 'x', port: '3' }, 'v2'),
      'apply-patch+yaml',
    );
    assert.equal(applied.code, 201, applied.text);
    assert.deepEqual(specOf(await client.send(at('b'))), { address: 'x:3' });
    const old = await client.send(at('a'));
    const put = await client.send(at('a'), { method: 'PUT', body: { ...old.json, spec: { address: 'p:9' } } });
    assert.equal(put.code, 200, put.text);
    assert.deepEqual(specOf(await client.send(at('a', 'v2'))), { host: 'p', port: '9' });
    const refused = await patch(at('a', 'v2'), { spec: { port: '123456' } });
    assert.match(refused.text, /spec.port: Too long: may not be more than 5 bytes/);
    const gone = await client.send(at('a', 'v2'), { method: 'DELETE' });
    assert.equal(gone.code, 200, gone.text);
    assert.equal((await client.send(at('a'))).code, 404);
    const rest = await client.send(at('', 'v2'), { method: 'DELETE' });
    assert.deepEqual(
      itemsOf(rest).map(({ spec }) => spec),
      [{ host: 'x', port: '3' }],
    );
  });

  it('have their status and scale in every version', async () => {
    await client.send(at('', 'v2'), { body: link('a', { host: 'h', port: '1', replicas: 2 }, 'v2') });
    const scaled = await patch(`${at('a', 'v2')}/scale`, { spec: { replicas: 5 } });
    assert.deepEqual(scaled.json?.['spec'], { replicas: 5 }, scaled.text);
    const status = await patch(`${at('a', 'v2')}/status`, { status: { replicas: 4 } });
    assert.equal(status.code, 200, status.text);
    assert.deepEqual((await client.send(`${at('a', 'v2')}/scale`)).json?.['status'], { replicas: 4, selector: '' });
    assert.deepEqual((await client.send(at('a'))).json?.['spec'], { address: 'h:1', replicas: 5 });
  });

  it('of mixed stored versions are listed in one, many in one call, each state asked for once', async () => {
    for (let i = 0; i < 20; i++) await client.send(at(), { body: link(`o${i + 10}`, { address: `h:${i}` }) });
    await storeAs(1);
    await eventually(async () => {
      const made = await client.send(at(), { body: link(`n`, { address: `n:1` }) });
      assert.ok(made.code === 201 || made.code === 409);
    });
    webhook.asked.length = 0;
    const old = itemsOf(await client.send(at()));
    const list = itemsOf(await client.send(at('', 'v2')));
    assert.equal(list.length, 21);
    assert.deepEqual(new Set(list.map(({ apiVersion }) => apiVersion)), new Set(['example.com/v2']));
    assert.deepEqual(list[1]?.spec, { host: 'h', port: '0' });
    assert.deepEqual(old[1]?.spec, { address: 'h:0' });
    assert.ok(webhook.asked.length <= 2, String(webhook.asked.length));
    assert.equal(Math.max(...webhook.asked.map(({ objects }) => objects.length)), 20);
    webhook.asked.length = 0;
    await client.send(at('', 'v2'));
    await client.send(at('o10', 'v2'));
    const selected = await client.send(`${at('', 'v2')}?fieldSelector=spec.host%3Dn`);
    assert.deepEqual(
      itemsOf(selected).map(({ metadata }) => metadata.name),
      ['n'],
    );
    const paged = await client.send(`${at('', 'v2')}?limit=5`);
    assert.equal(itemsOf(paged).length, 5);
    await client.send(at('', 'v2'), {
      headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
    });
    assert.equal(webhook.asked.length, 0);
  });

  it('are stored in the version of today by any write, even one that changes nothing', async () => {
    const made = await client.send(at(), { body: link('a', { address: 'h:1' }) });
    await storeAs(1);
    const versionOf = (answer: RawAnswer): unknown => metadataOf(answer)['resourceVersion'];
    let moved = made;
    await eventually(async () => {
      moved = await patch(at('a'), {});
      assert.notEqual(versionOf(moved), versionOf(made));
    });
    assert.equal(versionOf(await patch(at('a'), {})), versionOf(moved));
    webhook.answer = () => ({ result: { status: 'Failed', message: 'not today' } });
    assert.deepEqual(specOf(await client.send(at('a', 'v2'))), { host: 'h', port: '1' });
  });

  it('are watched in every version, in order', async () => {
    await client.send(at(), { body: link('a', { address: 'h:1' }) });
    const [one, two] = await Promise.all([watch(at()), watch(at('', 'v2'))]);
    await patch(at('a'), { spec: { address: 'h:2' } });
    await patch(at('a', 'v2'), { spec: { port: '3' } });
    await client.send(at('a'), { method: 'DELETE' });
    await eventually(() => {
      assert.deepEqual(seen(two), [
        ['ADDED', 'example.com/v2', { host: 'h', port: '1' }],
        ['MODIFIED', 'example.com/v2', { host: 'h', port: '2' }],
        ['MODIFIED', 'example.com/v2', { host: 'h', port: '3' }],
        ['DELETED', 'example.com/v2', { host: 'h', port: '3' }],
      ]);
      assert.deepEqual(
        seen(one).map((event) => (event as unknown[])[2]),
        [{ address: 'h:1' }, { address: 'h:2' }, { address: 'h:3' }, { address: 'h:3' }],
      );
    });
    one.stop();
    two.stop();
  });

  it('are held back by a slow webhook in its own version only', async () => {
    const [one, two] = await Promise.all([watch(at()), watch(at('', 'v2'))]);
    const waiting: (() => void)[] = [];
    webhook.answer = (asked) => new Promise((resolve) => waiting.push(() => resolve(success(asked))));
    for (const name of ['a', 'b', 'c']) await client.send(at(), { body: link(name, { address: `${name}:1` }) });
    await eventually(() => assert.equal(one.lines.length, 3));
    assert.equal(itemsOf(await client.send(at())).length, 3);
    assert.equal(two.lines.length, 0);
    webhook.answer = success;
    for (const go of waiting) go();
    await eventually(() => assert.equal(two.lines.length, 3));
    assert.deepEqual(
      seen(two).map((event) => ((event as unknown[])[2] as Json)['host']),
      ['a', 'b', 'c'],
    );
    one.stop();
    two.stop();
  });

  it('end the watches of their version when they cannot be converted, and go on when they can', async () => {
    const [one, two] = await Promise.all([watch(at()), watch(at('', 'v2'))]);
    webhook.answer = () => ({ result: { status: 'Failed', message: 'not today' } });
    await client.send(at(), { body: link('a', { address: 'a:1' }) });
    await eventually(() => assert.ok(two.isEnded()));
    assert.equal(one.lines.length, 1);
    assert.ok(!one.isEnded());
    const refused = await client.send(at('', 'v2'));
    assert.equal(refused.code, 500);
    const message = `conversion webhook for example.com/v1, Kind=${kind} failed: not today`;
    assert.equal(refused.json?.['message'], message);
    assert.ok(!('reason' in (refused.json ?? {})));
    assert.equal((await client.send(at('', 'v2'), { body: link('b', { host: 'h' }, 'v2') })).code, 500);
    assert.equal((await client.send(at('b'))).code, 404);
    webhook.answer = success;
    const again = await watch(at('', 'v2'));
    assert.equal(itemsOf(await client.send(at('', 'v2'))).length, 1);
    await patch(at('a'), { spec: { address: 'a:2' } });
    await eventually(() => assert.equal(again.lines.length, 2));
    one.stop();
    again.stop();
  });

  it('are refused in the words of the original when the webhook answers nonsense', async () => {
    await client.send(at(), { body: link('a', { address: 'h:1' }) });
    const subject = `conversion webhook for example.com/v1, Kind=${kind}`;
    const answers: [TestConversion['answer'], string | RegExp][] = [
      [() => ({ uid: 'other' }), /failed: expected response.uid="[-0-9a-f]+", got "other"$/],
      [() => '{}', `${subject} failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview`],
      [() => ({ result: { status: 'Odd' } }), `${subject} failed: response.result.status was 'Odd', not 'Success'`],
      [() => ({ result: { status: 'Success' } }), `${subject} returned 0 objects, expected 1`],
      [
        (asked) => ({ ...success(asked), convertedObjects: asked.objects }),
        'invalid converted object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v1)',
      ],
      [changed({ name: 'b' }), 'invalid converted object at index 0: must have the same name: a != b'],
      [changed({ labels: { a: 1 } }), 'metadata.labels[a] must be a string, but is int64 in converted object'],
      [changed({ labels: { a: ' ' } }), 'returned invalid metadata in object at index 0: metadata.labels: Invalid'],
      [() => 'nonsense', /failed: .*json parse error/],
    ];
    for (const [answer, words] of answers) {
      webhook.answer = answer;
      const { code, json, text } = await client.send(at('a', 'v2'));
      assert.equal(code, 500, text);
      const message = String(json?.['message'] as string);
      assert.ok(typeof words === 'string' ? message.includes(words) : words.test(message), message);
    }
    const { text: metrics } = await client.send('/metrics');
    const told = (name: string, labels: string): string | undefined =>
      new RegExp(`^apiserver_${name}\\{${labels}\\} (\\d+)$`, 'm').exec(metrics)?.[1];
    const count = 'crd_conversion_webhook_duration_seconds_count';
    const crd = `crd_name="${kind.toLowerCase()}s.example.com",from_version="v1",to_version="v2"`;
    assert.equal(told(count, `${crd},succeeded="false"`), String(answers.length));
    assert.equal(told(count, `${crd},succeeded="true"`), undefined);
    for (const [failure, least] of [
      ['call', 1],
      ['malformed_response', 3],
      ['partial_response', 1],
      ['invalid_converted_object', 4],
    ] as const) {
      const labels = `result="failure",failure_type="conversion_webhook_${failure}_failure"`;
      assert.ok(Number(told('conversion_webhook_request_total', labels)) >= least, failure);
      assert.ok(Number(told('conversion_webhook_duration_seconds_count', labels)) >= least, failure);
    }
    webhook.answer = changed({ labels: { given: 'yes' }, finalizers: ['example.com/x'], generation: 77 });
    const metadata = metadataOf(await client.send(at('a', 'v2')));
    assert.deepEqual(metadata['labels'], { given: 'yes' });
    assert.equal(metadata['generation'], 1);
    assert.ok(!('finalizers' in metadata));
  });

  it('are subject to policies and webhooks that know another version only', async () => {
    await client.send('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies', {
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'ports' },
        spec: {
          matchConstraints: { resourceRules: [ruleFor('v2')] },
          validations: [{ expression: "object.spec.port != '666'", message: 'no such port' }],
        },
      },
    });
    await client.send('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings', {
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: 'ports' },
        spec: { policyName: 'ports', validationActions: ['Deny'] },
      },
    });
    const hook = await startTestWebhook(() => patching([{ op: 'add', path: '/spec/host', value: 'changed' }]));
    await client.send('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name: 'hosts' },
        webhooks: [
          {
            name: 'hosts.example.com',
            rules: [ruleFor('v2')],
            clientConfig: { url: hook.url, caBundle: hook.caBundle },
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      },
    });
    const refused = await client.send(at(), { body: link('a', { address: 'h:666' }) });
    assert.match(refused.text, /denied request: no such port/);
    const made = await client.send(at(), { body: link('a', { address: 'h:1' }) });
    assert.deepEqual(specOf(made), { address: 'changed:1' });
    assert.equal(hook.asked[0]?.kind.version, 'v2');
    await client.send('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/hosts', {
      method: 'DELETE',
    });
    await client.send('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/ports', { method: 'DELETE' });
    await hook.close();
  });

  it('have owners of their fields by the names of each version', async () => {
    const apply = (of: string, manager: string, spec: Json, more = ''): Promise<RawAnswer> =>
      patch(`${at('a', of)}?fieldManager=${manager}${more}`, link('a', spec, of), 'apply-patch+yaml');
    const ownersOf = (answer: RawAnswer): unknown =>
      // Entries stand in the order of their seconds.
      (metadataOf(answer)['managedFields'] as Json[])
        .map(({ manager, apiVersion, fieldsV1 }) => [
          String(manager as string),
          apiVersion,
          Object.keys(((fieldsV1 as Json)['f:spec'] ?? {}) as Json).sort(),
        ])
        .sort(([one], [other]) => String(one as string).localeCompare(String(other as string)));
    await apply('v1', 'old', { address: 'h:1' });
    const same = await apply('v2', 'new', { host: 'h' });
    assert.deepEqual(ownersOf(same), [
      ['new', 'example.com/v2', ['f:host']],
      ['old', 'example.com/v1', ['f:address']],
    ]);
    const conflict = await apply('v2', 'new', { host: 'other' });
    assert.equal(conflict.code, 409);
    assert.equal(
      conflict.json?.['message'],
      'Apply failed with 1 conflict: conflict with "old": .spec.address',
      conflict.text,
    );
    const forced = await apply('v2', 'new', { host: 'other' }, '&force=true');
    assert.deepEqual(ownersOf(forced), [['new', 'example.com/v2', ['f:host']]]);
    const beside = await patch(`${at('a')}?fieldManager=counter`, { spec: { replicas: 3 } });
    assert.deepEqual(ownersOf(beside), [
      ['counter', 'example.com/v1', ['f:replicas']],
      ['new', 'example.com/v2', ['f:host']],
    ]);
    const updated = await patch(`${at('a')}?fieldManager=counter`, { spec: { address: 'x:1' } });
    assert.deepEqual(ownersOf(updated), [['counter', 'example.com/v1', ['f:address', 'f:replicas']]]);
  });

  it('lose what an applier drops that has moved to another version', async () => {
    const apply = (of: string, spec: Json): Promise<RawAnswer> =>
      patch(`${at('a', of)}?fieldManager=me`, link('a', spec, of), 'apply-patch+yaml');
    await apply('v1', { address: 'h:1', replicas: 3 });
    const moved = await apply('v2', { host: 'h', port: '1' });
    assert.equal(moved.code, 200, moved.text);
    assert.deepEqual(specOf(moved), { host: 'h', port: '1' });
    assert.deepEqual(specOf(await client.send(at('a'))), { address: 'h:1' });
  });

  it('are shown by kubectl in both versions', async () => {
    await client.send(at(), { body: link('a', { address: 'h:1' }) });
    const plural = `${kind.toLowerCase()}s`;
    assert.match(await kubectl('get', `${plural}.v1.example.com`), /NAME +ADDRESS\na +h:1/);
    assert.match(await kubectl('get', `${plural}.v2.example.com`), /NAME +HOST +PORT\na +h +1/);
    webhook.answer = () => ({ result: { status: 'Failed', message: 'not today' } });
    await patch(at('a'), { spec: { address: 'h:2' } });
    assert.equal(
      await kubectl('get', `${plural}.v2.example.com`, 'a'),
      `Error from server: conversion webhook for example.com/v1, Kind=${kind} failed: not today\n`,
    );
  });
});

const ruleFor = (apiVersion: string): Json => ({
  apiGroups: ['example.com'],
  apiVersions: [apiVersion],
  resources: [`${kind.toLowerCase()}s`],
  operations: ['CREATE'],
});

/** Converts well, but for the metadata. */
function changed(metadata: Json): TestConversion['answer'] {
  return (asked) => {
    const answer = success(asked) as { convertedObjects: { metadata: Json }[] };
    for (const object of answer.convertedObjects) object.metadata = { ...object.metadata, ...metadata };
    return answer;
  };
}

function kubectl(...args: readonly string[]): Promise<string> {
  const all = ['--kubeconfig', world.server.kubeconfigPath, '--cache-dir', join(directory, 'cache'), ...args];
  return new Promise((resolve) => {
    execFile('kubectl', all, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}
