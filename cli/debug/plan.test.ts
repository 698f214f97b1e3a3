import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Container, Pod } from '../../shared/api/generated/types.js';
import { TypeTables } from '../type-tables.js';
import { mergedContainer, readCustomProfile } from './custom-profile.js';
import { isImageReference } from './image-reference.js';
import { ephemeralContainer, nodePod, podCopy, type DebugRequest } from './plan.js';
import { profileOf } from './profile.js';

const request: DebugRequest = {
  profile: 'general',
  custom: undefined,
  image: 'tools:1',
  imagePullPolicy: undefined,
  container: undefined,
  target: undefined,
  env: [],
  args: [],
  argumentsOnly: false,
  stdin: false,
  tty: false,
  copyTo: 'copy',
  setImage: {},
  sameNode: false,
  shareProcesses: undefined,
  keepLabels: false,
  keepAnnotations: false,
  keepLiveness: false,
  keepReadiness: false,
  keepStartup: false,
  keepInitContainers: true,
};
const original = {
  metadata: { name: 'web', namespace: 'shop', uid: 'u', labels: { app: 'web' }, annotations: { a: 'b' } },
  spec: {
    nodeName: 'node-1',
    containers: [
      { name: 'main', image: 'main:1', args: ['--old'], livenessProbe: { exec: { command: ['true'] } } },
      { name: 'side', image: 'side:1' },
    ],
    ephemeralContainers: [{ name: 'before', image: 'x:1' }],
  },
  status: { phase: 'Running' },
} as unknown as Pod;
const never = (): string => assert.fail('no name is needed');

test('a copy is a new pod: no node, no probes, no ephemeral containers, and nobody finds it by its labels', () => {
  const { pod, container } = podCopy(original, request, () => 'debugger-1');
  assert.equal(container, 'debugger-1');
  assert.deepEqual(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'copy', namespace: 'shop' },
    spec: {
      containers: [
        { name: 'main', image: 'main:1', args: ['--old'] },
        { name: 'side', image: 'side:1' },
        {
          name: 'debugger-1',
          image: 'tools:1',
          terminationMessagePolicy: 'File',
          securityContext: { capabilities: { add: ['SYS_PTRACE'] } },
        },
      ],
      shareProcessNamespace: true,
    },
  });
  assert.equal(original.spec.containers.length, 2);
});

test('a command takes the place of command and arguments, arguments that of arguments alone', () => {
  const of = (more: Partial<DebugRequest>): Container | undefined =>
    podCopy(original, { ...request, image: undefined, container: 'main', args: ['sh'], ...more }, never).pod.spec
      .containers[0];
  assert.deepEqual([of({})?.command, of({})?.args], [['sh'], undefined]);
  assert.deepEqual([of({ argumentsOnly: true })?.command, of({ argumentsOnly: true })?.args], [undefined, ['sh']]);
});

test('a copy with other images only is like its original, and nothing is there to attach to', () => {
  const changed = { ...request, image: undefined, setImage: { '*': 'all:2', side: 'side:2' } };
  const { pod, container } = podCopy(original, changed, never);
  assert.equal(container, undefined);
  assert.deepEqual(
    pod.spec.containers.map(({ image }) => image),
    ['all:2', 'side:2'],
  );
  assert.deepEqual(pod.metadata.labels, { app: 'web' });
  assert.throws(
    () => podCopy(original, { ...request, image: undefined }, never),
    /you must specify image when creating/,
  );
});

test('an ephemeral container names whose processes it sees, and only what was asked for', () => {
  assert.deepEqual(ephemeralContainer('d', { ...request, profile: 'legacy', target: 'main', stdin: true }), {
    name: 'd',
    image: 'tools:1',
    stdin: true,
    targetContainerName: 'main',
    terminationMessagePolicy: 'File',
  });
});

test('which pods of nodes are in the namespaces of the host, and which see its files', () => {
  const of = (profile: string): (boolean | undefined)[] => {
    const { spec } = nodePod('p', 'node-1', { ...request, profile: profileOf(profile) });
    return [spec.hostPID, spec.containers[0]?.volumeMounts !== undefined];
  };
  for (const profile of ['legacy', 'general', 'sysadmin']) assert.deepEqual(of(profile), [true, true], profile);
  assert.deepEqual(of('netadmin'), [true, false]);
  for (const profile of ['baseline', 'restricted']) assert.deepEqual(of(profile), [undefined, false], profile);
  assert.throws(() => profileOf('root'), /^Failure: unknown profile: root$/);
});

test('a custom profile is merged by the keys of the lists, new items in front of those that it does not name', () => {
  const base = {
    name: 'd',
    tty: true,
    args: ['a'],
    env: [
      { name: 'Z', value: '1' },
      { name: 'A', value: '2' },
      { name: 'Y', value: '3' },
    ],
    securityContext: { runAsUser: 1, capabilities: { drop: ['ALL'] } },
  } as Container;
  const custom = {
    tty: false,
    args: ['b'],
    env: [
      { name: 'A', value: 'c' },
      { name: 'N', value: 'n' },
    ],
    securityContext: { runAsUser: null, capabilities: { add: ['X'] } },
  };
  const schema = new TypeTables().definition('io.k8s.api.core.v1.Container');
  assert.deepEqual(mergedContainer(base, { container: custom, schema }), {
    name: 'd',
    args: ['b'],
    env: [
      { name: 'Z', value: '1' },
      { name: 'A', value: 'c' },
      { name: 'N', value: 'n' },
      { name: 'Y', value: '3' },
    ],
    securityContext: { capabilities: { drop: ['ALL'], add: ['X'] } },
  });
});

test('a custom profile may not say what flags are for, and must be part of a container', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'knarr-custom-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'custom.yaml');
  const read = (text: string): unknown => {
    writeFileSync(file, text);
    return readCustomProfile(file, new TypeTables()).container;
  };
  assert.deepEqual(read('workingDir: /tmp\nvolumeDevices: []\n'), { workingDir: '/tmp', volumeDevices: [] });
  for (const field of ['name: x', 'command: [x]', 'image: x', 'lifecycle: {}', 'volumeDevices: [{}]']) {
    assert.throws(() => read(`${field}\n`), /are not modifiable via custom profile$/, field);
  }
  assert.throws(() => read('- a\n'), /does not contain a valid container spec/);
  assert.throws(() => read('[\n'), /does not contain a valid container spec/);
  assert.throws(
    () => readCustomProfile(join(folder, 'no'), new TypeTables()),
    /must pass a container spec json file .* no such file/,
  );
});

test('what can name an image', () => {
  const good = [
    'a',
    'a/b',
    'a:1',
    'Host/a',
    'host.example:5000/a/b:Tag@sha256:' + '0'.repeat(64),
    '[::1]:5000/a',
    'a__b',
    'a--b',
  ];
  const bad = [
    '',
    'A',
    'a b',
    'a//b',
    'a:',
    'a@sha256:12',
    '/a',
    'a/',
    'a_',
    'a:-x',
    `a:${'t'.repeat(129)}`,
    'a'.repeat(5000),
  ];
  for (const text of good) assert.ok(isImageReference(text), text);
  for (const text of bad) assert.ok(!isImageReference(text), text);
});
