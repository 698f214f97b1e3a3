import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { Deployment, Node, Pod, ReplicaSet } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { toolbox } from '../lab/images.js';
import { create, type FindCluster, idle, isReady, pod, podWhere, shell } from './pod.js';

function deployment(name: string, replicas: number, rest: object = {}, script = idle): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [shell('main', script)] },
      },
      ...rest,
    },
  };
}

/** Where pods go and what keeps them there. */
export function controllerTests(cluster: FindCluster): void {
  const kubectl = (...args: string[]): Promise<string> => cluster().kubectl(args);
  const podsOf = async (app: string): Promise<Pod[]> =>
    (await cluster().get<{ items: Pod[] }>('pods', '-l', `app=${app}`)).items;
  const rolledOut = (name: string): Promise<string> =>
    kubectl('rollout', 'status', `deployment/${name}`, '--timeout=60s');

  test('selectors and taints place pods; one that fits nowhere says why, with numbers', async () => {
    await kubectl('label', 'node', 'node-2', 'disk=fast', '--overwrite');
    const containers = [shell('main', idle)];
    await create(
      cluster(),
      pod('selects', { nodeSelector: { disk: 'fast' }, containers }),
      pod('selects-none', { nodeSelector: { disk: 'none' }, containers }),
      pod('claims', { containers, volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'none' } }] }),
      pod('asks-much', { containers: [shell('main', idle, { resources: { requests: { cpu: '900' } } })] }),
    );
    assert.equal((await podWhere(cluster(), 'selects', isReady)).spec?.nodeName, 'node-2');
    const pending = (name: string, message: RegExp): Promise<Pod> =>
      podWhere(cluster(), name, (p) => {
        const condition = p.status?.conditions?.find((c) => c.type === 'PodScheduled');
        assert.equal(condition?.reason, 'Unschedulable');
        assert.match(condition?.message ?? '', message);
      });
    const hopeless = 'preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.';
    await pending('selects-none', /^0\/2 nodes are available: 2 node\(s\) didn't match Pod's node affinity\/selector/);
    await pending('asks-much', new RegExp(`^0/2 nodes are available: 2 Insufficient cpu. ${hopeless} node-1: `));
    await pending(
      'claims',
      new RegExp(`^0/2 nodes are available: persistentvolumeclaim "none" not found. ${hopeless}$`),
    );
    await kubectl('delete', 'pod', '--wait=false', 'selects-none', 'asks-much', 'claims');
  });

  test('a pod of higher priority takes the place of another on the node that it asks for', async () => {
    const here = { nodeSelector: { 'kubernetes.io/hostname': 'node-2' } };
    const containers = [shell('main', idle, { ports: [{ containerPort: 18_080, hostPort: 18_080 }] })];
    const priorityClass = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'urgent' } };
    await create(cluster(), { ...priorityClass, value: 1000 }, pod('humble', { ...here, containers }));
    await podWhere(cluster(), 'humble', isReady);
    await create(cluster(), pod('pressing', { ...here, containers, priorityClassName: 'urgent' }));
    const pressing = await podWhere(cluster(), 'pressing', isReady);
    assert.equal(pressing.spec.nodeName, 'node-2');
    assert.doesNotMatch(await kubectl('get', 'pods', '-o', 'name'), /pod\/humble/);
    const told = await kubectl('get', 'events', '--field-selector', 'involvedObject.name=humble,reason=Preempted');
    assert.match(told, new RegExp(`Preempted by pod ${pressing.metadata.uid} on node node-2`));
  });

  test('a ReplicaSet replaces a deleted pod; a kubelet replaces a container removed behind its back', async () => {
    await create(cluster(), deployment('healing', 2));
    await rolledOut('healing');
    const [first, second] = await podsOf('healing');
    assert.ok(first?.metadata.name && second?.metadata.name);
    await kubectl('delete', 'pod', first.metadata.name);
    await rolledOut('healing');
    const id = second.status?.containerStatuses?.[0]?.containerID?.replace('docker://', '') ?? '';
    await cluster().host.run(['docker', 'rm', '-f', id]);
    await podWhere(cluster(), second.metadata.name, (p) => {
      isReady(p);
      assert.notEqual(p.status?.containerStatuses?.[0]?.containerID, `docker://${id}`);
    });
    const now = (await podsOf('healing')).map((p) => p.metadata.name);
    assert.equal(now.length, 2);
    assert.ok(now.includes(second.metadata.name) && !now.includes(first.metadata.name));
  });

  test('a ReplicationController runs its pods, is scaled down and up, is described, and is stopped', async () => {
    const labels = { app: 'demo' };
    await create(cluster(), {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'demo' },
      spec: {
        replicas: 2,
        selector: labels,
        template: {
          metadata: { labels },
          spec: { terminationGracePeriodSeconds: 1, containers: [shell('main', idle)] },
        },
      },
    });
    const hasReady = (count: number): Promise<void> =>
      eventually(
        async () => {
          const found = await podsOf('demo');
          assert.equal(found.length, count);
          for (const each of found) isReady(each);
        },
        60_000,
        500,
      );
    await hasReady(2);
    for (const replicas of [1, 2]) {
      const scaled = await kubectl('scale', 'rc', 'demo', `--replicas=${replicas}`, '--timeout=60s');
      assert.equal(scaled, 'replicationcontroller/demo scaled\n');
      await hasReady(replicas);
    }
    await eventually(async () => {
      assert.match(await kubectl('get', 'rc', 'demo', '--no-headers'), /^demo +2 +2 +2 +\S+$/m);
    }, 20_000);
    const description = await kubectl('describe', 'rc', 'demo');
    assert.match(description, /^Selector: +app=demo$/m);
    assert.match(description, /^Replicas: +2 current \/ 2 desired$/m);
    assert.match(description, /^Pods Status: +2 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed$/m);
    assert.match(description, /SuccessfulCreate .* replication-controller +Created pod: demo-/);
    assert.match(await kubectl('describe', 'pods', '-l', 'app=demo'), /^Controlled By: +ReplicationController\/demo$/m);
    await kubectl('delete', 'rc', 'demo');
    await eventually(async () => assert.deepEqual(await podsOf('demo'), []), 60_000, 500);
  });

  test('Recreate never runs old and new together; a paused Deployment waits; a stuck one says so', async () => {
    await create(cluster(), deployment('recreated', 2, { strategy: { type: 'Recreate' } }));
    await rolledOut('recreated');
    const old = (await podsOf('recreated')).map((p) => p.metadata.uid);
    await kubectl('rollout', 'pause', 'deployment/recreated');
    await kubectl('set', 'env', 'deployment/recreated', 'A=1');
    await eventually(async () => {
      const found = await cluster().get<Deployment>('deployment', 'recreated');
      assert.equal(found.status?.observedGeneration, found.metadata.generation);
    });
    assert.deepEqual(
      (await podsOf('recreated')).map((p) => p.metadata.uid),
      old,
      'paused',
    );
    await kubectl('rollout', 'resume', 'deployment/recreated');
    await eventually(
      async () => {
        const uids = (await podsOf('recreated')).map((p) => p.metadata.uid);
        assert.ok(uids.every((u) => old.includes(u)) || uids.every((u) => !old.includes(u)), 'both at once');
        assert.ok(uids.length === 2 && uids.every((u) => !old.includes(u)));
      },
      60_000,
      300,
    );
    await create(cluster(), deployment('stuck', 1, { progressDeadlineSeconds: 6, minReadySeconds: 5 }, 'exit 1'));
    await eventually(
      async () => {
        const found = await cluster().get<Deployment>('deployment', 'stuck');
        const progressing = found.status?.conditions?.find((c) => c.type === 'Progressing');
        assert.deepEqual([progressing?.status, progressing?.reason], ['False', 'ProgressDeadlineExceeded']);
      },
      30_000,
      500,
    );
    await kubectl('delete', 'deployment', 'stuck', '--wait=false');
  });

  test('deleting a Deployment: orphan leaves the ReplicaSet, foreground waits for the pods', async () => {
    await create(cluster(), deployment('orphans', 1), deployment('front', 1));
    await Promise.all([rolledOut('orphans'), rolledOut('front')]);
    await kubectl('delete', 'deployment', 'orphans', '--cascade=orphan');
    const left = await cluster().get<{ items: ReplicaSet[] }>('replicasets', '-l', 'app=orphans');
    assert.equal(left.items.length, 1);
    await eventually(
      async () => {
        const [rs] = (await cluster().get<{ items: ReplicaSet[] }>('replicasets', '-l', 'app=orphans')).items;
        assert.equal(rs?.metadata.ownerReferences?.length ?? 0, 0);
      },
      20_000,
      300,
    );
    await kubectl('delete', 'deployment', 'front', '--cascade=foreground');
    assert.deepEqual((await cluster().get<{ items: Pod[] }>('pods,replicasets', '-l', 'app=front')).items, []);
    await kubectl('delete', 'replicaset', '-l', 'app=orphans');
  });

  test('deleting a namespace ends what lives in it', async () => {
    await kubectl('create', 'namespace', 'short-lived');
    await cluster().kubectl(['apply', '-n', 'short-lived', '-f', '-'], {
      input: JSON.stringify(deployment('inner', 1)),
    });
    await kubectl('rollout', 'status', '-n', 'short-lived', 'deployment/inner', '--timeout=60s');
    await kubectl('delete', 'namespace', 'short-lived', '--timeout=60s');
    const { stdout } = await cluster().host.run([
      'docker',
      'ps',
      '-aq',
      '--filter',
      'label=io.kubernetes.pod.namespace=short-lived',
    ]);
    assert.equal(stdout, '');
  });

  test('the manifests of the example, unchanged, bring ten replicas behind one address and the image service', async () => {
    // Any image of that name will do: the manifest names no command, so this one serves by itself.
    const build = async (image: string, entrypoint: string): Promise<void> => {
      const id = (await cluster().host.run(['docker', 'create', toolbox])).stdout.trim();
      await cluster().host.run(['docker', 'commit', '-c', `ENTRYPOINT ${entrypoint}`, '-c', 'CMD []', id, image]);
      await cluster().host.run(['docker', 'rm', id]);
    };
    await build(
      'ml-serving:1.0',
      '["sh","-c","mkdir -p /www; hostname > /www/index.html; exec httpd -f -p 80 -h /www"]',
    );
    await kubectl('apply', '-f', 'examples/manifests/ml-serving.yaml');
    await rolledOut('ml-serving');
    const pods = await podsOf('ml-serving');
    assert.equal(pods.length, 10);
    assert.deepEqual(new Set(pods.map((p) => p.spec?.nodeName)), new Set(['node-1', 'node-2']));
    const address = await kubectl('get', 'service', 'ml-serving', '-o', 'jsonpath={.spec.clusterIP}');
    const answers = new Set<string>();
    await eventually(
      async () => {
        answers.add(await cluster().fetch(`http://${address}/`));
        assert.equal(answers.size, 10);
      },
      30_000,
      5,
    );
    const others = readdirSync('examples/manifests').filter((f) => f !== 'ml-serving.yaml');
    await kubectl('apply', '--dry-run=server', ...others.flatMap((f) => ['-f', `examples/manifests/${f}`]));
    await kubectl('delete', '-f', 'examples/manifests/ml-serving.yaml', '--wait=false');
  });
}

/** Drills that change the nodes under everything else: they come last, by themselves. */
export function nodeTests(cluster: FindCluster): void {
  test('drain moves pods away and keeps the node closed until it is uncordoned', async () => {
    await cluster().kubectl(['delete', 'pods,deployments', '--all', '--wait=false']);
    await create(cluster(), deployment('moved', 2));
    await cluster().kubectl(['rollout', 'status', 'deployment/moved', '--timeout=60s']);
    await cluster().kubectl(
      ['drain', 'node-2', '--ignore-daemonsets', '--force', '--delete-emptydir-data', '--timeout=60s'],
      { timeoutMs: 70_000 },
    );
    await cluster().kubectl(['rollout', 'status', 'deployment/moved', '--timeout=60s']);
    const nodes = (await cluster().get<{ items: Pod[] }>('pods', '-l', 'app=moved')).items
      .filter((p) => !p.metadata.deletionTimestamp)
      .map((p) => p.spec?.nodeName);
    assert.deepEqual(nodes, ['node-1', 'node-1']);
    assert.match(await cluster().kubectl(['get', 'node', 'node-2']), /Ready,SchedulingDisabled/);
    const drained = await cluster().get<Node>('node', 'node-2');
    assert.ok(
      drained.spec?.taints?.some((t) => t.key === 'node.kubernetes.io/unschedulable' && t.effect === 'NoSchedule'),
    );
    await cluster().kubectl(['uncordon', 'node-2']);
    await create(
      cluster(),
      pod('returned', {
        nodeName: undefined,
        nodeSelector: { 'kubernetes.io/hostname': 'node-2' },
        containers: [shell('main', idle)],
      }),
    );
    await podWhere(cluster(), 'returned', isReady);
  });
}
