import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerConfigOf, sandboxConfigOf } from '../../testing/runtime-configs.js';
import type { ContainerSecurity } from '../container-runtime.js';
import { containerRequest } from './docker-config.js';

const owner = { cluster: 'test', node: 'node-1' };
const { security } = containerConfigOf('app:1');

function securityOptions(more: Partial<ContainerSecurity>, allowsPrivileged = true): string[] {
  const config = containerConfigOf('app:1', { security: { ...security, ...more } });
  const limits = { allowsNegativeOomScore: true, allowsPrivileged };
  const sandbox = sandboxConfigOf('pod', 'uid-1');
  return containerRequest(owner, 'sandbox', config, sandbox, limits).HostConfig?.SecurityOpt ?? [];
}

test('the profiles a container asks for reach the engine, privileged or not; the engine has its own for all others', () => {
  assert.deepEqual(securityOptions({}), []);
  assert.deepEqual(securityOptions({ appArmorProfile: 'strict' }), ['apparmor=strict']);
  assert.deepEqual(securityOptions({ appArmorProfile: 'unconfined', noNewPrivileges: true }), [
    'no-new-privileges',
    'apparmor=unconfined',
  ]);
  assert.deepEqual(securityOptions({ appArmorProfile: 'runtime/default' }), ['apparmor=docker-default']);
  assert.deepEqual(securityOptions({ privileged: true, seccompUnconfined: true, appArmorProfile: 'strict' }), [
    'seccomp=unconfined',
    'apparmor=strict',
  ]);
});

test('what stands for privileged on a host that refuses it is confined by no profile but one that is asked for', () => {
  const almost = { privileged: true, seccompUnconfined: true };
  assert.deepEqual(securityOptions(almost, false), ['seccomp=unconfined', 'apparmor=unconfined']);
  assert.deepEqual(securityOptions({ ...almost, appArmorProfile: 'strict' }, false), [
    'seccomp=unconfined',
    'apparmor=strict',
  ]);
});
