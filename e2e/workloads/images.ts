import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container, Event, Pod, PodSpec } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { toolbox } from '../lab/images.js';
import { Registry } from '../lab/registry.js';
import { create, type FindCluster, isReady, pod, podWhere, shell, statusOf } from './pod.js';

const login = { username: 'puller', password: 'let me pull' };

/** Images that come from a registry. */
export function imageTests(cluster: FindCluster): void {
  describe('images from a registry', () => {
    let open: Registry;
    let closed: Registry;
    before(async () => {
      [open, closed] = await Promise.all([
        Registry.start(cluster().host, 5000),
        Registry.start(cluster().host, 5001, login),
      ]);
    });
    after(() => {
      open?.stop();
      closed?.stop();
    });

    const main = (image: string, rest: Partial<Container> = {}): PodSpec => ({
      containers: [shell('main', 'exec sleep 1000', { image, ...rest })],
      terminationGracePeriodSeconds: 0,
    });
    const messages = async (name: string): Promise<string[]> => {
      const selector = `--field-selector=involvedObject.name=${name}`;
      const { items } = await cluster().get<{ items: Event[] }>('events', selector);
      return items.map((e) => `${e.type} ${e.reason}: ${e.message}`);
    };
    const tells = (name: string, ...expected: RegExp[]): Promise<void> =>
      eventually(
        async () => {
          const told = await messages(name);
          for (const one of expected)
            assert.ok(
              told.some((message) => one.test(message)),
              `${one}\n${told.join('\n')}`,
            );
        },
        30_000,
        300,
      );
    const waits = (name: string, reason: string): Promise<Pod> =>
      podWhere(cluster(), name, (p) => assert.equal(statusOf(p).state?.waiting?.reason, reason));

    test('an image that only the registry has is pulled by its tag and by its digest', async () => {
      const digest = await open.push(toolbox, 'team/app:1');
      const byTag = `${open.server}/team/app:1`;
      await create(cluster(), pod('by-tag', main(byTag, { imagePullPolicy: 'Always' })));
      assert.equal(statusOf(await podWhere(cluster(), 'by-tag', isReady)).image, byTag);
      await tells(
        'by-tag',
        new RegExp(`^Normal Pulling: Pulling image "${byTag}"$`),
        new RegExp(
          `^Normal Pulled: Successfully pulled image "${byTag}" in [\\d.]+m?s \\([\\d.]+m?s including waiting\\). Image size: \\d+ bytes.$`,
        ),
      );
      const byDigest = `${open.server}/team/app@${digest}`;
      await create(cluster(), pod('by-digest', main(byDigest)));
      assert.match(statusOf(await podWhere(cluster(), 'by-digest', isReady)).imageID ?? '', /sha256:[0-9a-f]{64}$/);
    });

    test('an image that is not there is ErrImagePull, then ImagePullBackOff, and runs once it is', async () => {
      const image = `${open.server}/team/later:1`;
      await create(cluster(), pod('later', main(image)));
      const first = await waits('later', 'ErrImagePull');
      assert.match(statusOf(first).state?.waiting?.message ?? '', /manifest unknown|not found/);
      const second = await waits('later', 'ImagePullBackOff');
      assert.match(
        statusOf(second).state?.waiting?.message ?? '',
        new RegExp(`^Back-off pulling image "${image}": ErrImagePull: `),
      );
      assert.equal(second.status?.phase, 'Pending');
      await tells(
        'later',
        new RegExp(`^Warning Failed: Failed to pull image "${image}": .`),
        /^Warning Failed: Error: ErrImagePull$/,
        new RegExp(`^Normal BackOff: Back-off pulling image "${image}"$`),
        /^Warning Failed: Error: ImagePullBackOff$/,
      );
      await open.push(toolbox, 'team/later:1');
      await podWhere(cluster(), 'later', isReady);
    });

    test('a registry that asks for a login gets it from imagePullSecrets, of the pod or of its ServiceAccount', async () => {
      const image = `${closed.server}/team/secret:1`;
      await closed.push(toolbox, 'team/secret:1');
      const kubectl = (...args: string[]): Promise<string> => cluster().kubectl(args);
      const secret = (name: string, password: string): Promise<string> =>
        kubectl(
          'create',
          'secret',
          'docker-registry',
          name,
          `--docker-server=${closed.server}`,
          `--docker-username=${login.username}`,
          `--docker-password=${password}`,
        );
      await Promise.all([secret('right', login.password), secret('wrong', 'guess')]);
      await create(
        cluster(),
        pod('unnamed', main(image, { imagePullPolicy: 'Always' })),
        pod('misnamed', { ...main(image, { imagePullPolicy: 'Always' }), imagePullSecrets: [{ name: 'wrong' }] }),
      );
      for (const name of ['unnamed', 'misnamed']) {
        const refused = await podWhere(cluster(), name, (p) =>
          assert.match(statusOf(p).state?.waiting?.reason ?? '', /^(ErrImagePull|ImagePullBackOff)$/),
        );
        assert.match(statusOf(refused).state?.waiting?.message ?? '', /unauthorized|no basic auth credentials/i);
      }
      await create(
        cluster(),
        {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: 'puller' },
          imagePullSecrets: [{ name: 'right' }],
        },
        pod('named', { ...main(image, { imagePullPolicy: 'Always' }), imagePullSecrets: [{ name: 'right' }] }),
      );
      await podWhere(cluster(), 'named', isReady);
      await create(
        cluster(),
        pod('by-account', { ...main(image, { imagePullPolicy: 'Always' }), serviceAccountName: 'puller' }),
      );
      await podWhere(cluster(), 'by-account', isReady);
    });
  });
}
