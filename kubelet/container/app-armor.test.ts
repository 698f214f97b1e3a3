import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AppArmorProfile, Pod } from '../../shared/api/generated/types.js';
import { containerOf, podOf } from '../testing/pod-builder.js';
import { appArmorOf, appArmorProfile, appArmorRefusal } from './app-armor.js';
import { StartError } from './start-error.js';

const localhost = (localhostProfile: string): AppArmorProfile => ({ type: 'Localhost', localhostProfile });
const runtimeDefault: AppArmorProfile = { type: 'RuntimeDefault' };
const unconfined: AppArmorProfile = { type: 'Unconfined' };

interface Asked {
  readonly pod?: AppArmorProfile;
  readonly main?: AppArmorProfile;
  readonly init?: AppArmorProfile;
  readonly annotation?: string;
}

function asking({ pod, main, init, annotation }: Asked): Pod {
  const container = (name: string, appArmorProfile?: AppArmorProfile) =>
    containerOf(name, appArmorProfile ? { securityContext: { appArmorProfile } } : {});
  const made = podOf({
    ...(pod ? { securityContext: { appArmorProfile: pod } } : {}),
    initContainers: [container('init', init)],
    containers: [container('main', main)],
  });
  const key = 'container.apparmor.security.beta.kubernetes.io/main';
  if (annotation !== undefined) made.metadata.annotations = { [key]: annotation, other: 'localhost/none' };
  return made;
}

test('a container has its own profile, else that of the annotation, else that of the pod', () => {
  const of = (asked: Asked): AppArmorProfile | undefined => {
    const pod = asking(asked);
    return pod.spec.containers[0] && appArmorOf(pod, pod.spec.containers[0]);
  };
  assert.equal(of({}), undefined);
  assert.deepEqual(of({ pod: runtimeDefault }), runtimeDefault);
  assert.deepEqual(of({ pod: runtimeDefault, annotation: 'localhost/strict' }), localhost('strict'));
  assert.deepEqual(of({ annotation: 'unconfined', main: localhost('mine') }), localhost('mine'));
  assert.deepEqual(of({ annotation: 'runtime/default' }), runtimeDefault);
  assert.deepEqual(of({ pod: unconfined, annotation: 'nonsense' }), unconfined);
});

test('where the host has no AppArmor, only pods that ask for none are taken', () => {
  const refused = 'Cannot enforce AppArmor: AppArmor is not enabled on the host';
  for (const asked of [
    { pod: runtimeDefault },
    { main: localhost('strict') },
    { init: runtimeDefault },
    { annotation: 'runtime/default' },
    { annotation: 'localhost/strict' },
  ]) {
    assert.equal(appArmorRefusal(asking(asked), false), refused, JSON.stringify(asked));
    assert.equal(appArmorRefusal(asking(asked), true), undefined, JSON.stringify(asked));
  }
  for (const asked of [{}, { pod: unconfined }, { main: unconfined }, { annotation: 'unconfined' }]) {
    assert.equal(appArmorRefusal(asking(asked), false), undefined, JSON.stringify(asked));
  }
});

test('a profile without a name is refused', () => {
  const refusal = appArmorRefusal(asking({ annotation: 'localhost/' }), true);
  assert.equal(refusal, 'Cannot enforce AppArmor: invalid empty AppArmor profile name');
});

test('a container gets the profile that is loaded, does not start where it is not, and leaves it to the runtime to know where the list is not to be read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'apparmor-'));
  const list = join(folder, 'profiles');
  await writeFile(list, 'docker-default (enforce)\nmy own (old) (complain)\n:space://in-it (kill)\n');
  const profile = async (asked: Asked, path = list): Promise<string | undefined> => {
    const pod = asking(asked);
    return await appArmorProfile(pod, pod.spec.containers[0] ?? containerOf('main'), path);
  };
  assert.equal(await profile({ main: localhost('docker-default') }), 'docker-default');
  assert.equal(await profile({ main: localhost('my own (old)') }), 'my own (old)');
  assert.equal(await profile({ pod: localhost(':space://in-it') }), ':space://in-it');
  assert.equal(await profile({ pod: unconfined }), 'unconfined');
  assert.equal(await profile({ pod: runtimeDefault }), 'runtime/default');
  assert.equal(await profile({}), undefined);
  assert.equal(await profile({ main: localhost('strict') }, join(folder, 'none')), 'strict');
  await assert.rejects(
    profile({ main: localhost('unconfined') }, join(folder, 'none')),
    /profile not found unconfined/,
  );
  await assert.rejects(profile({ main: localhost('strict') }), (error: StartError) => {
    assert.equal(error.message, 'apparmor profile not found strict');
    return error instanceof StartError && error.reason === 'CreateContainerError';
  });
  await rm(folder, { recursive: true });
});
