import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '../../shared/api/generated/types.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { HollowRuntime } from '../runtime/hollow/hollow-runtime.js';
import { containerOf, podOf } from '../testing/pod-builder.js';
import { ImageManager } from './image-manager.js';
import { pullCredentials } from './pull-secrets.js';

const { signal } = new AbortController();

function setUp(registry: readonly string[] = []): { manager: ImageManager; clock: FakeClock; told: string[] } {
  const clock = new FakeClock();
  const told: string[] = [];
  const manager = new ImageManager({
    runtime: new HollowRuntime({ clock, images: ['here:1'], registry }),
    clock,
    events: { event: (_object, _type, reason, message) => void told.push(`${reason}: ${message}`) },
    source: { configMap: () => Promise.resolve(undefined), secret: () => Promise.resolve(undefined) },
  });
  return { manager, clock, told };
}

test('an image that is there is used as it is', async () => {
  const { manager, told } = setUp();
  await manager.ensure(podOf(), containerOf('main', { image: 'here:1' }), signal);
  assert.deepEqual(told, [
    'Pulled: Container image "here:1" already present on machine and can be accessed by the pod',
  ]);
});

test('a missing one is pulled and the event tells it', async () => {
  const { manager, told } = setUp(['there:1']);
  await manager.ensure(podOf(), containerOf('main', { image: 'there:1' }), signal);
  assert.equal(told[0], 'Pulling: Pulling image "there:1"');
  assert.match(told[1] ?? '', /^Pulled: Successfully pulled image "there:1" in /);
});

test('a pull tells which of its secrets are missing', async () => {
  const { manager, told } = setUp(['there:1']);
  const pod = podOf({ imagePullSecrets: [{ name: 'first' }, { name: 'second' }] });
  await manager.ensure(pod, containerOf('main', { image: 'there:1' }), signal);
  assert.deepEqual(told.slice(1, 2), [
    'FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (first, second); ' +
      'attempting to pull the image may not succeed.',
  ]);
});

test('a failed pull waits 10 s, then 20 s, and says so', async () => {
  const { manager, clock } = setUp();
  const container = containerOf('main', { image: 'nowhere:1' });
  const ensure = (): Promise<unknown> => manager.ensure(podOf(), container, signal);
  await assert.rejects(ensure(), { reason: 'ErrImagePull' });
  await assert.rejects(ensure(), {
    reason: 'ImagePullBackOff',
    message: /^Back-off pulling image "nowhere:1": ErrImagePull: /,
  });
  assert.equal(manager.retryAtMs(podOf(), container), clock.now() + 10_000);
  await clock.advance(10_000);
  await assert.rejects(ensure(), { reason: 'ErrImagePull' });
  assert.equal(manager.retryAtMs(podOf(), container), clock.now() + 20_000);
});

test('Never does not pull, and a name that is none is told apart', async () => {
  const { manager } = setUp(['there:1']);
  const never = containerOf('main', { image: 'there:1', imagePullPolicy: 'Never' });
  await assert.rejects(manager.ensure(podOf(), never, signal), {
    reason: 'ErrImageNeverPull',
    message: 'Container image "there:1" is not present with pull policy of Never',
  });
  await assert.rejects(manager.ensure(podOf(), containerOf('main', { image: 'Not Valid' }), signal), {
    reason: 'InvalidImageName',
  });
});

test('credentials are those of the registry of the image', async () => {
  const auths = {
    'https://index.docker.io/v1/': { auth: Buffer.from('hub:one').toString('base64') },
    'registry.example:5000': { username: 'me', password: 'two' },
  };
  const secret = {
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  } as unknown as Secret;
  const source = { configMap: () => Promise.resolve(undefined), secret: () => Promise.resolve(secret) };
  const pod = podOf({ imagePullSecrets: [{ name: 'pull' }] });
  const users = async (image: string): Promise<string[]> =>
    (await pullCredentials(pod, image, source)).map((c) => c.username);
  assert.deepEqual(await users('busybox'), ['hub']);
  assert.deepEqual(await users('registry.example:5000/team/app:1'), ['me']);
  assert.deepEqual(await users('other.example/app'), []);
});
