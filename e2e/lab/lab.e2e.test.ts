import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab } from './lab.js';

let lab: Lab;
before(async () => {
  lab = await Lab.create(2);
});
after(() => lab.destroy());

test('two hosts reach each other and have engines of their own', async () => {
  const [one, two] = [lab.host(0), lab.host(1)];
  await one.run(['busybox', 'ping', '-c', '1', '-W', '2', two.address]);
  const root = async (host: typeof one): Promise<string> =>
    (await host.run(['docker', 'info', '--format', '{{.DockerRootDir}}'])).stdout;
  assert.notEqual(await root(one), await root(two));
});
