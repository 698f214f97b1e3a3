import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toolbox } from '../lab/images.js';
import { create, type FindCluster, isReady, logOf, phaseIs, pod, podWhere, shell } from './pod.js';

/** What a container finds in its environment, its files and its limits. */
export function environmentTests(cluster: FindCluster): void {
  test('variables come from values, fields, resources, config maps and secrets, and refer to one another', async () => {
    const env = [
      { name: 'PLAIN', value: 'plain' },
      { name: 'REFERENCE', value: '$(PLAIN)-$$(PLAIN)-$(MISSING)' },
      { name: 'FIELD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'FIELD_LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: 'FIELD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'FIELD_ACCOUNT', valueFrom: { fieldRef: { fieldPath: 'spec.serviceAccountName' } } },
      { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'requests.cpu', divisor: '1m' } } },
      { name: 'FROM_MAP', valueFrom: { configMapKeyRef: { name: 'env-map', key: 'one' } } },
      { name: 'OPTIONAL', valueFrom: { configMapKeyRef: { name: 'nowhere', key: 'one', optional: true } } },
      { name: 'FROM_SECRET', valueFrom: { secretKeyRef: { name: 'env-secret', key: 'word' } } },
    ];
    const envFrom = [{ configMapRef: { name: 'env-map' } }, { prefix: 'S_', secretRef: { name: 'env-secret' } }];
    const resources = { limits: { memory: '64Mi', cpu: '500m' }, requests: { cpu: '250m' } };
    const container = shell('main', 'env; echo arg=$0', { env, envFrom, resources, args: ['$(PLAIN)'] });
    await create(
      cluster(),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'env-map' }, data: { one: '1', two: '2' } },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'env-secret' }, stringData: { word: 'hidden' } },
      pod('env', { restartPolicy: 'Never', containers: [container] }, { labels: { app: 'tagged' } }),
    );
    const lines = (await logOf(cluster(), 'env')).split('\n');
    const podIP = (await podWhere(cluster(), 'env', phaseIs('Succeeded'))).status?.podIP;
    for (const line of [
      'PLAIN=plain',
      'REFERENCE=plain-$(PLAIN)-$(MISSING)',
      'FIELD_NAME=env',
      'FIELD_LABEL=tagged',
      `FIELD_IP=${podIP}`,
      'FIELD_ACCOUNT=default',
      'LIMIT=64',
      'CPU=250',
      'FROM_MAP=1',
      'FROM_SECRET=hidden',
      'one=1',
      'two=2',
      'S_word=hidden',
      'KUBERNETES_SERVICE_HOST=10.96.0.1',
      'arg=plain',
    ])
      assert.ok(lines.includes(line), `${line} in\n${lines.join('\n')}`);
    assert.ok(!lines.some((line) => line.startsWith('OPTIONAL=')));
  });

  test('volumes carry modes and items; a subPath shows one file; a changed config map reaches a running pod', async () => {
    const volumes = [
      {
        name: 'map',
        configMap: {
          name: 'files',
          defaultMode: 0o400,
          items: [
            { key: 'a', path: 'deep/a.txt', mode: 0o755 },
            { key: 'b', path: 'b' },
          ],
        },
      },
      { name: 'secret', secret: { secretName: 'files', defaultMode: 0o440 } },
      {
        name: 'all',
        projected: {
          sources: [
            { configMap: { name: 'files', items: [{ key: 'a', path: 'a' }] } },
            { secret: { name: 'files' } },
            { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 3600 } },
          ],
        },
      },
      { name: 'down', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    ];
    const volumeMounts = [
      ...volumes.map(({ name }) => ({ name, mountPath: `/v/${name}` })),
      { name: 'map', mountPath: '/etc/one.conf', subPath: 'b' },
    ];
    await create(
      cluster(),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'files' }, data: { a: 'first', b: 'second' } },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'files' }, stringData: { key: 'hidden' } },
      pod(
        'volumes',
        { volumes, containers: [shell('main', 'exec sleep 1000', { volumeMounts })] },
        { labels: { app: 'v' } },
      ),
    );
    await podWhere(cluster(), 'volumes', isReady);
    const inside = (script: string): Promise<string> =>
      cluster().kubectl(['exec', 'volumes', '--', 'sh', '-c', script]);
    assert.equal(
      await inside(
        'cd /v; for f in map/deep/a.txt map/b secret/key; do stat -L -c %a $f; cat $f; echo; done; cat all/a all/key; echo; cat all/labels; echo; cat down/name; echo; cat /etc/one.conf',
      ),
      '755\nfirst\n400\nsecond\n440\nhidden\nfirsthidden\napp="v"\nvolumes\nsecond',
    );
    const claims = JSON.parse(
      Buffer.from((await inside('cat /v/all/token')).split('.')[1] ?? '', 'base64url').toString(),
    ) as { aud: string[]; sub: string };
    assert.deepEqual(claims.aud, ['vault']);
    assert.equal(claims.sub, 'system:serviceaccount:default:default');
    await cluster().kubectl(['patch', 'configmap', 'files', '--type=merge', '-p', '{"data":{"a":"changed"}}']);
    await cluster().kubectl(
      [
        'exec',
        'volumes',
        '--',
        'sh',
        '-c',
        'until grep -q changed /v/map/deep/a.txt && grep -q changed /v/all/a; do sleep 1; done',
      ],
      { timeoutMs: 80_000 },
    );
  });

  test('containers of a pod share a network, a disk and a memory-backed emptyDir', async () => {
    const volumes = [
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
      { name: 'host', hostPath: { path: '/tmp/knarr-e2e-host-path', type: 'DirectoryOrCreate' } },
    ];
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
    const writer = 'echo d > /disk/x; echo m > /memory/x; echo h > /host/x; exec httpd -f -p 7000 -h /disk';
    const reader =
      'until cat /disk/x /memory/x /host/x && wget -qO- http://127.0.0.1:7000/x; do sleep 0.2; done 2>/dev/null; grep " /memory " /proc/mounts';
    await create(
      cluster(),
      pod('shared', {
        volumes,
        containers: [
          shell('writer', writer, { volumeMounts }),
          shell('reader', `${reader}; exec sleep 1000`, { volumeMounts }),
        ],
      }),
    );
    await podWhere(cluster(), 'shared', isReady);
    await cluster().kubectl(['exec', 'shared', '-c', 'reader', '--', 'cat', '/disk/x', '/memory/x', '/host/x']);
    const log = await cluster().kubectl(['logs', 'shared', '-c', 'reader']);
    assert.match(log, /d\nm\nh\nd\n[\s\S]*tmpfs \/memory tmpfs .*size=8192k/);
  });

  test('init containers run in order before the rest; a restartable one runs beside it and ends last', async () => {
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    await create(
      cluster(),
      pod('inits', {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 5,
        volumes: [{ name: 'v', emptyDir: {} }],
        initContainers: [
          shell('first', 'echo first >> /v/order', { volumeMounts }),
          shell('sidecar', 'trap "exit 0" TERM; echo sidecar >> /v/order; touch /v/up; while :; do sleep 0.1; done', {
            volumeMounts,
            restartPolicy: 'Always',
            startupProbe: { exec: { command: ['test', '-e', '/v/up'] }, periodSeconds: 1 },
          }),
          shell('second', 'echo second >> /v/order', { volumeMounts }),
        ],
        containers: [shell('main', 'echo main >> /v/order; cat /v/order', { volumeMounts })],
      }),
    );
    assert.equal(await logOf(cluster(), 'inits', 'main'), 'first\nsidecar\nsecond\nmain\n');
  });

  test('limits become cgroups; the user, a read-only root, hosts and resolver settings are applied', async () => {
    const script =
      'id -u; id -g; id -G; touch /x 2>&1; cat /etc/hosts; cat /etc/resolv.conf; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null; true';
    await create(
      cluster(),
      pod('secured', {
        restartPolicy: 'Never',
        hostname: 'named',
        hostAliases: [{ ip: '10.9.8.7', hostnames: ['alias.one', 'alias.two'] }],
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['10.96.0.10'], searches: ['my.search'], options: [{ name: 'ndots', value: '2' }] },
        securityContext: { runAsUser: 1234, runAsGroup: 4321, fsGroup: 777, supplementalGroups: [888] },
        containers: [
          shell('main', script, {
            resources: { limits: { memory: '48Mi', cpu: '300m' } },
            securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true },
          }),
        ],
      }),
    );
    const log = await logOf(cluster(), 'secured');
    assert.match(log, /^1234\n4321\n4321 (777 888|888 777)\ntouch: \/x: Read-only file system$/m);
    assert.match(log, /^# Kubernetes-managed hosts file\.$/m);
    assert.match(log, /^10\.9\.8\.7\talias\.one\talias\.two$/m);
    assert.match(log, /^\d[\d.]+\tnamed$/m);
    assert.match(log, /^search my\.search\nnameserver 10\.96\.0\.10\noptions ndots:2$/m);
    assert.match(log, /^50331648\n30000\b/m);
  });

  test("a pod's token, authority and DNS name of the API work together", async () => {
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
    const script = `nslookup kubernetes.default.svc.cluster.local; cat ${folder}/namespace; echo; ls ${folder}; sleep 1000`;
    await create(cluster(), pod('token', { containers: [shell('main', script)] }));
    const found = await podWhere(cluster(), 'token', isReady);
    const read = (file: string): Promise<string> =>
      cluster().kubectl(['exec', 'token', '--', 'cat', `${folder}/${file}`]);
    // The toolbox has no TLS: the host speaks for the pod, through the Service's address, with the pod's own files.
    const { host } = cluster();
    const call = (token: string): Promise<{ stdout: string }> =>
      host.run(
        [
          'bash',
          '-c',
          'curl -sS -m 10 --cacert <(echo "$CA") --resolve kubernetes.default.svc:443:10.96.0.1 -H "Authorization: Bearer $TOKEN" -H "content-type: application/json" -d \'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}\' https://kubernetes.default.svc/apis/authentication.k8s.io/v1/selfsubjectreviews',
        ],
        { env: { CA: ca, TOKEN: token } },
      );
    const ca = await read('ca.crt');
    const review = JSON.parse((await call(await read('token'))).stdout) as {
      status?: { userInfo?: { username?: string; extra?: Record<string, string[]> } };
    };
    assert.equal(review.status?.userInfo?.username, 'system:serviceaccount:default:default');
    assert.deepEqual(review.status?.userInfo?.extra?.['authentication.kubernetes.io/pod-uid'], [found.metadata.uid]);
    assert.match((await call('nonsense')).stdout, /"code": ?401/);
    assert.match(
      await cluster().kubectl(['logs', 'token']),
      /Address(?: 1)?: 10\.96\.0\.1\b[\s\S]*^default$[\s\S]*ca\.crt\s+namespace\s+token/m,
    );
  });

  test('a container of a missing program, user or key says what is wrong', async () => {
    const bad = (name: string, rest: object): object =>
      pod(name, { containers: [{ ...shell('main', 'true'), ...rest }] });
    await create(
      cluster(),
      bad('bad-root', { securityContext: { runAsNonRoot: true } }),
      bad('bad-key', { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'nowhere', key: 'k' } } }] }),
      bad('bad-name', { image: 'UPPER/Case:1' }),
      bad('bad-never', { image: 'nowhere/none:1', imagePullPolicy: 'Never' }),
      bad('bad-pull', { image: '127.0.0.1:9/none:1' }),
      bad('bad-program', { image: toolbox, command: ['/no/such/program'] }),
    );
    const waits = async (name: string, reason: string[], message: RegExp): Promise<void> => {
      await podWhere(cluster(), name, (p) => {
        const waiting = p.status?.containerStatuses?.[0]?.state?.waiting;
        assert.ok(reason.includes(waiting?.reason ?? ''), `${waiting?.reason}: ${waiting?.message}`);
        assert.match(waiting?.message ?? '', message);
      });
    };
    await Promise.all([
      waits('bad-root', ['CreateContainerConfigError'], /container has runAsNonRoot and image will run as root/),
      waits('bad-key', ['CreateContainerConfigError'], /configmap "nowhere" not found/),
      waits('bad-name', ['InvalidImageName'], /couldn't parse image|invalid reference format/),
      waits(
        'bad-never',
        ['ErrImageNeverPull'],
        /Container image "nowhere\/none:1" is not present with pull policy of Never/,
      ),
      waits('bad-pull', ['ErrImagePull', 'ImagePullBackOff'], /127\.0\.0\.1:9\/none:1/),
      waits('bad-program', ['RunContainerError', 'CrashLoopBackOff'], /no such file or directory|back-off/),
    ]);
    await cluster().kubectl([
      'delete',
      'pod',
      '--wait=false',
      'bad-root',
      'bad-key',
      'bad-name',
      'bad-never',
      'bad-pull',
      'bad-program',
    ]);
  });
}
