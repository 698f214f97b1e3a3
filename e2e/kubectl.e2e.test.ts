import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Deployment, EndpointSlice, Pod, Service } from '../shared/api/generated/types.js';
import { eventually } from '../shared/clock/eventually.js';
import { TestCluster } from './lab/cluster.js';
import { toolbox } from './lab/images.js';
import { debianKubectl } from './lab/tools.js';

const web = (replicas: number, text: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: ${toolbox}
        command: [sh, -c, 'mkdir -p /tmp/www; echo ${text} $(hostname) > /tmp/www/index.html; echo ${text} is served; exec httpd -f -p 8080 -h /tmp/www']
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`;

let cluster: TestCluster;
before(async () => {
  cluster = await TestCluster.start({ nodes: 2 });
});
after(() => cluster?.destroy());

const clients: [name: string, program: () => Promise<string>][] = [
  ['the kubectl on PATH', () => Promise.resolve('kubectl')],
  ["Debian's kubectl", debianKubectl],
];

for (const [name, findProgram] of clients) {
  describe(name, () => {
    let program: string;
    const kubectl = (args: readonly string[], options: { input?: string; accept?: number[] } = {}): Promise<string> =>
      cluster.kubectl(args, { ...options, program });
    before(async () => {
      program = await findProgram();
    });

    test('apply creates, leaves alone, and changes; diff tells what would change', async () => {
      assert.equal(
        await kubectl(['apply', '-f', '-'], { input: web(2, 'one') }),
        'deployment.apps/web created\nservice/web created\n',
      );
      assert.equal(
        await kubectl(['apply', '-f', '-'], { input: web(2, 'one') }),
        'deployment.apps/web unchanged\nservice/web unchanged\n',
      );
      await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
      const difference = await kubectl(['diff', '-f', '-'], { input: web(3, 'one'), accept: [1] });
      assert.match(difference, /^-\s+replicas: 2$/m);
      assert.match(difference, /^\+\s+replicas: 3$/m);
    });

    test('get prints the columns of the original', async () => {
      assert.match(
        await kubectl(['get', 'nodes']),
        /^NAME\s+STATUS\s+ROLES\s+AGE\s+VERSION\nnode-1\s+Ready\s+<none>\s+\S+\s+v1\.36\.0\+knarr\nnode-2/,
      );
      assert.match(
        await kubectl(['get', 'pods', '-o', 'wide']),
        /^NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\s+IP\s+NODE\s+NOMINATED NODE\s+READINESS GATES\nweb-\w+-\w+\s+1\/1\s+Running\s+0\s/,
      );
      assert.match(await kubectl(['get', 'deploy,svc']), /deployment\.apps\/web\s+2\/2\s+2\s+2/);
      const pods = JSON.parse(await kubectl(['get', 'pods', '-l', 'app=web', '-o', 'json'])) as { items: Pod[] };
      assert.equal(new Set(pods.items.map((p) => p.spec.nodeName)).size, 2, 'one on each node');
    });

    test('describe shows the events of a pod', async () => {
      const text = await kubectl(['describe', 'pods', '-l', 'app=web']);
      for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started'])
        assert.match(text, new RegExp(`Normal\\s+${reason}`));
    });

    test('requests through the load balancer reach both pods', async () => {
      const service = await eventually(async () => {
        const found = await cluster.get<Service>('service', 'web');
        assert.ok(found.status?.loadBalancer?.ingress?.[0]?.ip);
        return found;
      });
      const answers = new Set<string>();
      await eventually(async () => {
        answers.add(await cluster.fetch(`http://${service.status?.loadBalancer?.ingress?.[0]?.ip}/`));
        assert.equal(answers.size, 2);
      }, 20_000);
      assert.ok([...answers].every((a) => a.startsWith('one web-')));
      const slices = await cluster.get<{ items: EndpointSlice[] }>(
        'endpointslices',
        '-l',
        'kubernetes.io/service-name=web',
      );
      assert.equal(slices.items.flatMap((s) => s.endpoints ?? []).length, 2);
    });

    test('logs, exec with exit code and standard input, and attachment to a terminal-less shell', async () => {
      assert.match(await kubectl(['logs', 'deployment/web']), /one is served/);
      assert.equal(
        await kubectl(['exec', '-i', 'deployment/web', '--', 'cat'], { input: 'through the pod' }),
        'through the pod',
      );
      const failed = await cluster.host.run(
        [program, 'exec', 'deployment/web', '--', 'sh', '-c', 'echo no >&2; exit 7'],
        { accept: [7] },
      );
      assert.equal(failed.code, 7);
      assert.match(failed.stderr, /^no$/m);
    });

    test('port-forward carries a request', async () => {
      const forward = cluster.host.spawn([program, 'port-forward', 'deployment/web', '18080:8080'], 'forward.log');
      try {
        await eventually(
          async () => assert.match(await cluster.fetch('http://127.0.0.1:18080/', 2), /^one web-/),
          15_000,
          100,
        );
      } finally {
        forward.kill();
      }
    });

    test('scale, roll out, undo', async () => {
      await kubectl(['scale', 'deployment/web', '--replicas=3']);
      await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
      await kubectl(['apply', '-f', '-'], { input: web(3, 'two') });
      await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
      assert.match(await kubectl(['rollout', 'history', 'deployment/web']), /^1\s+<none>\n2\s+<none>$/m);
      await kubectl(['rollout', 'undo', 'deployment/web']);
      await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
      assert.match(JSON.stringify((await cluster.get<Deployment>('deployment', 'web')).spec.template), /echo one/);
    });

    test('delete removes everything that belongs to it', async () => {
      await kubectl(['delete', '-f', '-'], { input: web(3, 'one') });
      await eventually(
        async () =>
          assert.deepEqual(
            (await cluster.get<{ items: Pod[] }>('pods,replicasets,endpointslices', '-l', 'app=web')).items,
            [],
          ),
        30_000,
        200,
      );
    });
  });
}
