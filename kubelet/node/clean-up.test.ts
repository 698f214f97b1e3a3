import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../shared/clock/clock.js';
import type { ContainerConfig, SandboxConfig } from '../runtime/container-runtime.js';
import { HollowRuntime } from '../runtime/hollow/hollow-runtime.js';
import { stopPods } from './clean-up.js';

const sandbox: SandboxConfig = {
  pod: { namespace: 'default', name: 'web', uid: 'u' },
  attempt: 0,
  hostname: 'web',
  hostNetwork: false,
  hostPID: false,
  hostIPC: false,
  shareProcessNamespace: false,
  sysctls: {},
  portMappings: [],
  annotations: {},
};
const container: ContainerConfig = {
  name: 'web',
  attempt: 0,
  image: 'web:1',
  env: [],
  mounts: [],
  resources: {},
  security: {
    privileged: false,
    readOnlyRootFilesystem: false,
    noNewPrivileges: false,
    supplementalGroups: [],
    addCapabilities: [],
    dropCapabilities: [],
  },
  tty: false,
  stdin: false,
  stdinOnce: false,
  terminationMessagePath: '/dev/termination-log',
  terminationMessageHostPath: '/tmp/termination-log',
  annotations: {},
};

test('stopped pods leave their containers and sandboxes behind, ended: the next start sees what it had run', async () => {
  const runtime = new HollowRuntime({ clock: systemClock, images: ['web:1'] });
  await runtime.ensureNetwork('10.244.0.0/24');
  const id = await runtime.runPodSandbox(sandbox);
  await runtime.startContainer(await runtime.createContainer(id, container, sandbox));
  await stopPods(runtime);
  assert.deepEqual(
    (await runtime.listContainers()).map((c) => [c.name, c.state]),
    [['web', 'exited']],
  );
  assert.deepEqual(
    (await runtime.listPodSandboxes()).map((s) => s.state),
    ['notReady'],
  );
  await stopPods(runtime);
});
