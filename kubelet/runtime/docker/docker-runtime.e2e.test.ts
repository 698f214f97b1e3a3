import assert from 'node:assert/strict';

import { systemClock } from '../../../shared/clock/clock.js';
import { silentLog } from '../../../shared/log/log.js';
import { runtimeSuite } from '../runtime-suite.js';
import { busyboxImage } from './busybox-image.js';
import { DockerRuntime } from './docker-runtime.js';

const host = process.env['DOCKER_HOST'];
assert.ok(host, 'these tests need a Docker Engine: set DOCKER_HOST to its socket, e.g. unix:///var/run/docker.sock');

const IMAGE = 'knarr-test/busybox:1';

runtimeSuite('DockerRuntime', async () => {
  const runtime = new DockerRuntime({ host, cluster: 'suite', node: 'node-1', clock: systemClock, log: silentLog });
  assert.deepEqual(await runtime.loadImage(await busyboxImage(IMAGE)), [IMAGE]);
  return { runtime, image: IMAGE, podCIDR: '10.250.2.0/24', close: () => runtime.close() };
});
