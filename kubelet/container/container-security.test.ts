import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SecurityContext } from '../../shared/api/generated/types.js';
import { containerOf, podOf } from '../testing/pod-builder.js';
import { containerSecurity, localhostSeccomp } from './container-security.js';
import { StartError } from './start-error.js';

const named = (localhostProfile: string): SecurityContext => ({
  seccompProfile: { type: 'Localhost', localhostProfile },
});

test('a seccomp profile of type Localhost is read from the folder of the node; without it nothing starts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'seccomp-'));
  await writeFile(join(folder, 'strict.json'), '{ "defaultAction": "SCMP_ACT_ALLOW" }\n');
  await writeFile(join(folder, 'broken.json'), 'secret: yes');
  const pod = podOf({ securityContext: named('strict.json') });
  const load = (securityContext?: SecurityContext): Promise<string | undefined> =>
    localhostSeccomp(pod, containerOf('main', securityContext ? { securityContext } : {}), folder);
  assert.equal(await load(), '{"defaultAction":"SCMP_ACT_ALLOW"}');
  assert.equal(await load({ seccompProfile: { type: 'RuntimeDefault' } }), undefined);
  assert.equal(await load({ privileged: true }), undefined);
  const refused = (why: string) => (error: StartError) => {
    assert.equal(error.message, `cannot load seccomp profile "${folder}/${why}`);
    return error instanceof StartError && error.reason === 'CreateContainerError';
  };
  await assert.rejects(
    load(named('none.json')),
    refused(`none.json": open ${folder}/none.json: no such file or directory`),
  );
  await assert.rejects(load(named('broken.json')), refused('broken.json": it cannot be read as JSON'));
  await rm(folder, { recursive: true });
});

test('a container has the profile it asked for, unless it is unconfined', () => {
  const profile = '{"defaultAction":"SCMP_ACT_ALLOW"}';
  const of = (securityContext: SecurityContext): object => {
    const { seccompProfile, seccompUnconfined } = containerSecurity(
      podOf({}),
      containerOf('main', { securityContext }),
      { seccomp: profile },
    );
    return { seccompProfile, seccompUnconfined };
  };
  assert.deepEqual(of(named('strict.json')), { seccompProfile: profile, seccompUnconfined: undefined });
  assert.deepEqual(of({ privileged: true }), { seccompProfile: undefined, seccompUnconfined: true });
});
