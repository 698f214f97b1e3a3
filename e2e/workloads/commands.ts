import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import type { ContainerState, Pod } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import type { CommandOptions } from '../lab/command.js';
import { toolbox } from '../lab/images.js';
import { create, type FindCluster, idle, isReady, pod, podWhere, shell } from './pod.js';
import { inAllVersions } from './words.js';

type Program = 'kubectl' | 'knarr';
const programs: readonly Program[] = ['kubectl', 'knarr'];
const argvOf: Readonly<Record<Program, readonly string[]>> = {
  kubectl: ['kubectl'],
  knarr: [process.execPath, resolve('bin/knarr')],
};
const portsOf: Readonly<Record<Program, number>> = { kubectl: 19_000, knarr: 19_100 };

type Run = (line: string, options?: CommandOptions) => Promise<string>;

/** kubectl's reader may meet the empty message with which an exec begins before kubectl has made the stream for it, and says so. */
const aheadOfItsStreams = /^E\d{4} .*websocket\.go:\d+\] Unknown stream id 1, discarding message\n/gm;

/** Runs a command line; both outputs and the exit code as text, the same for both programs where they behave the same. */
function runner(cluster: FindCluster, program: Program): Run {
  return async (line, options = {}) => {
    const accept = Array.from({ length: 256 }, (_, code) => code);
    const { env, ...rest } = { env: {}, accept, timeoutMs: 45_000, ...options };
    const k = argvOf[program].join(' ');
    const script = `k() { ${k} "$@"; }; exec 2>&1; ${line}`;
    const { stdout, code } = await cluster().host.run(['bash', '-c', script], { ...rest, env });
    const text = program === 'knarr' ? stdout.replaceAll(/(?<![+/-])\bknarr\b(?!-)/g, 'kubectl') : stdout;
    const own = inAllVersions(text.replaceAll(aheadOfItsStreams, ''));
    return code === 0 ? own : `${own}[exit ${code}]\n`;
  };
}

const box = (name: string): object =>
  pod(name, {
    containers: [
      shell(
        'main',
        `echo one; echo two; for p in 8080 8081; do mkdir /$p; echo $p > /$p/index.html; httpd -p $p -h /$p; done; ${idle}`,
      ),
      shell('other', 'echo other; exec cat', { stdin: true }),
    ],
  });

/** Commands that need a node, given to kubectl and to knarr: both must print the same, but for what is newer. */
export function commandTests(cluster: FindCluster, given: readonly Program[] = programs): void {
  for (const program of given) {
    describe(`commands of ${program}`, () => {
      const run = runner(cluster, program);
      const name = `box-${program}`;
      const prints = async (line: string, expected: string, options?: CommandOptions): Promise<void> =>
        assert.equal(await run(line, options), expected, line);

      test('logs, exec and cp', async () => {
        await create(cluster(), box(name));
        await podWhere(cluster(), name, isReady);
        await printsLogs(prints, name);
        await execs(prints, name);
        await copies(prints, name, join(cluster().host.directory, program));
      });
      test('a pod is debugged by a container that sees the processes of another', async () => {
        await create(cluster(), box(`debugged-${program}`));
        await podWhere(cluster(), `debugged-${program}`, isReady);
        await debugs(prints, run, cluster, `debugged-${program}`);
      });
      test('a pod is run to its end', () => runsPods(prints, program));
      test('ports are forwarded, and the API is proxied', () => forwards(cluster, run, program));
      test('a Deployment is scaled, changed, undone, exposed and waited for', () => rollsOut(prints, `web-${program}`));
      test('what is not there is said', async () => {
        await prints('k top nodes', 'error: Metrics API not available\n[exit 1]\n');
        await prints('k top pods', 'error: Metrics API not available\n[exit 1]\n');
      });
    });
  }
}

type Prints = (line: string, expected: string, options?: CommandOptions) => Promise<void>;

async function printsLogs(prints: Prints, name: string): Promise<void> {
  await prints(`k logs ${name} -c main --tail=1`, 'two\n');
  await prints(`k logs ${name} -c main --prefix`, `[pod/${name}/main] one\n[pod/${name}/main] two\n`);
  await prints(`k logs ${name} -c main --limit-bytes=5`, 'one\nt');
  await prints(`k logs ${name} -c main --since=1h --timestamps | sed 's/^[0-9T:.Z-]* //'`, 'one\ntwo\n');
  // Once the lines are older.
  await eventually(() => prints(`k logs ${name} -c main --since=1s`, ''));
  await prints(`k logs ${name} -c nope`, `error: container nope is not valid for pod ${name}\n[exit 1]\n`);
  await prints(
    `k logs ${name} -c main -p`,
    `Error from server (BadRequest): previous terminated container "main" in pod "${name}" not found\n[exit 1]\n`,
  );
}

async function execs(prints: Prints, name: string): Promise<void> {
  const failed = (code: number): string => `command terminated with exit code ${code}\n[exit ${code}]\n`;
  await prints(`echo unread | k exec ${name} -c main -- cat`, '');
  await prints(`echo read | k exec -i ${name} -c main -- cat`, 'read\n');
  await prints(`k exec ${name} -c main -- sh -c 'echo err >&2; exit 3'`, `err\n${failed(3)}`);
  await prints(`k exec ${name} -c nope -- true`, `error: container nope is not valid for pod ${name}\n[exit 1]\n`);
  await prints(`k exec ${name}`, 'error: you must specify at least one command for the container\n[exit 1]\n');
  await prints(
    `k attach ${name} -c nope`,
    `error: cannot attach to the container: container nope is not valid for pod ${name}\n[exit 1]\n`,
  );
}

async function copies(prints: Prints, name: string, folder: string): Promise<void> {
  mkdirSync(join(folder, 'dir', 'sub'), { recursive: true });
  mkdirSync(join(folder, 'there'));
  writeFileSync(join(folder, 'dir', 'a'), 'one');
  writeFileSync(join(folder, 'dir', 'sub', 'b'), Buffer.alloc(300_000, 'x'));
  const inside = `cd ${folder};`;
  // What tar says comes at any time among the program's own lines, and not at all where kubectl has all files first.
  const untold = '2>&1 | grep -v ^tar:';
  await prints(`${inside} k cp dir ${name}:/up -c main && k cp dir/a default/${name}:/file -c main`, '');
  await prints(
    `k exec ${name} -c main -- sh -c 'find /up | sort; cat /file; wc -c < /up/sub/b'`,
    '/up\n/up/a\n/up/sub\n/up/sub/b\none300000\n',
  );
  await prints(
    `${inside} (k cp ${name}:/up back -c main && find back | sort) ${untold}`,
    'back\nback/a\nback/sub\nback/sub/b\n',
  );
  assert.equal(readFileSync(join(folder, 'back', 'sub', 'b')).length, 300_000);
  await prints(`${inside} (k cp ${name}:/file got -c main && cat got && echo) ${untold}`, 'one\n');
  await prints(`${inside} k cp ${name}:/file there -c main ${untold}`, 'error: open there: is a directory\n');
  await prints(`${inside} k cp nope ${name}:/x`, "error: nope doesn't exist in local filesystem\n[exit 1]\n");
  await prints(`${inside} k cp - ${name}:/x`, "error: - doesn't exist in local filesystem\n[exit 1]\n");
}

const stateOf = ({ status }: Pod, container: string): ContainerState | undefined =>
  status?.ephemeralContainerStatuses?.find(({ name }) => name === container)?.state;

async function debugs(prints: Prints, run: Run, find: FindCluster, name: string): Promise<void> {
  const add = (container: string, command: string, flags = ''): string =>
    `k debug ${name} -c ${container} --profile=general --image=${toolbox} --target=main ${flags} -- ${command}`;
  const targeting =
    'Targeting container "main". If you don\'t see processes from this container it may be because the container runtime doesn\'t support this feature.\n';
  await prints(add('look', `sh -c 'ps -o args; exec sleep 1000'`), targeting);
  await podWhere(find(), name, (found) => assert.ok(stateOf(found, 'look')?.running));
  const seen = await run(`k logs ${name} -c look`);
  assert.match(seen, /^httpd -p 8080/m);
  assert.doesNotMatch(seen, /^cat$/m);
  await prints(`k exec ${name} -c look -- sh -c 'cat /proc/1/root/8080/index.html'`, '8080\n');
  await prints(`echo 'echo $((6*7)); exit 5' | ${add('type', 'sh', '-i -q')}`, '42\n');
  await podWhere(find(), name, (found) => assert.equal(stateOf(found, 'type')?.terminated?.exitCode, 5), 40_000);
  const unknown = `spec.ephemeralContainers[2].targetContainerName: Not found: "nope"`;
  await prints(
    add('none', 'sh').replace('--target=main', '--target=nope -q'),
    `The Pod "${name}" is invalid: ${unknown}\n[exit 1]\n`,
  );
  assert.match(await run(`k describe pod ${name}`), /^Ephemeral Containers:\n {2}look:\n {4}Container ID: +docker:/m);
  assert.match(await run(`k get pod ${name} --no-headers`), / 2\/2 +Running +0 /);
}

async function runsPods(prints: Prints, program: Program): Promise<void> {
  const flags = `--restart=Never --image=${toolbox} --command --`;
  await prints(
    `echo typed | k run once-${program} -i --rm -q ${flags} sh -c 'read x; echo got $x; exit 4'`,
    `got typed\npod default/once-${program} terminated (Error)\n[exit 4]\n`,
  );
  const never = `never-${program}`;
  await prints(`k run ${never} ${flags} echo done`, `pod/${never} created\n`);
  const succeeded = "--for=jsonpath='{.status.phase}'=Succeeded";
  await prints(`k wait ${succeeded} pod/${never} --timeout=40s`, `pod/${never} condition met\n`);
  await prints(`k logs ${never}; k delete pod ${never}`, `done\npod "${never}" deleted\n`);
}

async function forwards(cluster: FindCluster, run: Run, program: Program): Promise<void> {
  const name = `ports-${program}`;
  await create(cluster(), box(name));
  await podWhere(cluster(), name, isReady);
  const [one, two, api] = [0, 1, 2].map((offset) => portsOf[program] + offset);
  const { host } = cluster();
  const children = [
    host.spawn([...argvOf[program], 'port-forward', name, `${one}:8080`, `${two}:8081`], `${name}.log`),
    host.spawn([...argvOf[program], 'proxy', `--port=${api}`], `${name}-proxy.log`),
  ];
  try {
    const fetched = (path: string): Promise<string> =>
      eventually(() => cluster().fetch(`http://127.0.0.1:${path}`, 2), 20_000, 200);
    assert.equal(await fetched(`${one}/`), '8080\n');
    assert.equal(await fetched(`${two}/`), '8081\n');
    assert.match(await fetched(`${api}/version`), /"gitVersion": ?"v1\.36/);
    assert.equal(await fetched(`${api}/api/v1/namespaces/default/pods/${name}:8080/proxy/`), '8080\n');
  } finally {
    for (const child of children) child.kill();
  }
  // Events are written behind all else.
  await eventually(async () => {
    assert.match(await run(`k events --for pod/${name} --types=Normal`), /Started\s+Pod\/ports-/);
  }, 20_000);
}

const deployment = (name: string): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [shell('web', 'mkdir /w; echo page > /w/index.html; exec httpd -f -p 8080 -h /w')],
        },
      },
    },
  });

async function rollsOut(prints: Prints, name: string): Promise<void> {
  const of = `deployment.apps/${name}`;
  const done = `deployment "${name}" successfully rolled out\n`;
  await prints('k apply -f -', `${of} created\n`, { input: deployment(name) });
  await prints(`k rollout status -w deploy/${name} | tail -1`, done);
  await prints(`k scale deploy/${name} --replicas=2`, `${of} scaled\n`);
  await prints(
    `k scale deploy/${name} --current-replicas=5 --replicas=3`,
    'error: Expected replicas to be 5, was 2\n[exit 1]\n',
  );
  await prints(`k set env deploy/${name} A=b`, `${of} env updated\n`);
  await prints(`k annotate deploy/${name} kubernetes.io/change-cause=second`, `${of} annotated\n`);
  await prints(`k rollout status deploy/${name} | tail -1`, done);
  await prints(`k set image deploy/${name} nope=x:1`, 'error: unable to find container named "nope"\n[exit 1]\n');
  await prints(
    `k rollout history deploy/${name}`,
    `${of} \nREVISION  CHANGE-CAUSE\n1         <none>\n2         second\n\n`,
  );
  await prints(
    `k rollout history deploy/${name} --revision=2 | grep -A1 Environment`,
    '    Environment:\n      A:\tb\n',
  );
  await prints(
    `k rollout history deploy/${name} --revision=9`,
    'error: unable to find the specified revision\n[exit 1]\n',
  );
  await prints(`k rollout undo deploy/${name}`, `${of} rolled back\n`);
  await prints(`k rollout restart deploy/${name}`, `${of} restarted\n`);
  await prints(`k rollout status deploy/${name} --timeout=40s | tail -1`, done);
  await prints(
    `k wait --for=jsonpath='{.status.readyReplicas}'=2 deploy/${name} --timeout=40s`,
    `${of} condition met\n`,
  );
  await prints(
    `k wait --for=jsonpath='{.spec.replicas}'=7 deploy/${name} --timeout=1s`,
    `error: timed out waiting for the condition on deployments/${name}\n[exit 1]\n`,
  );
  await prints(`k expose deploy/${name} --port=80 --target-port=8080`, `service/${name} exposed\n`);
  const address = `$(k get svc ${name} -o jsonpath='{.spec.clusterIP}')`;
  await prints(`for i in 1 2 3 4 5 6 7 8 9; do curl -sf -m 2 http://${address} && break; sleep 1; done`, 'page\n');
  await prints(
    `k autoscale deploy ${name} --min=2 --max=3 --cpu-percent=70`,
    `horizontalpodautoscaler.autoscaling/${name} autoscaled\n`,
  );
  await prints(
    `k label deploy/${name} a=b; k label deploy/${name} a=c`,
    `${of} labeled\nerror: 'a' already has a value (b), and --overwrite is false\n[exit 1]\n`,
  );
  await prints(`k label deploy/${name} a=c --overwrite; k label deploy/${name} a-`, `${of} labeled\n${of} unlabeled\n`);
  await prints(
    `k delete deploy/${name} svc/${name} hpa/${name}`,
    `deployment.apps "${name}" deleted\nservice "${name}" deleted\nhorizontalpodautoscaler.autoscaling "${name}" deleted\n`,
  );
}

/** Commands that change nodes: nothing else may run meanwhile. */
export function nodeCommandTests(cluster: FindCluster): void {
  for (const program of programs) {
    test(`${program} taints a node, and drains it as the disruption budget lets it`, async () => {
      const run = runner(cluster, program);
      const name = `guarded-${program}`;
      await run('k apply -f -', { input: deployment(name) });
      await run(`k rollout status deploy/${name}`);
      const node = await run(`k get pods -l app=${name} -o jsonpath='{.items[0].spec.nodeName}'`);
      const taint = `k taint nodes ${node} ${name}`;
      assert.equal(await run(`${taint}=v:PreferNoSchedule`), `node/${node} tainted\n`);
      assert.equal(
        await run(`${taint}=w:PreferNoSchedule`),
        `error: node ${node} already has ${name} taint(s) with same effect(s) and --overwrite is false\n[exit 1]\n`,
      );
      assert.equal(await run(`${taint}=w:PreferNoSchedule --overwrite`), `node/${node} modified\n`);
      assert.equal(await run(`${taint}-`), `node/${node} untainted\n`);
      const drain = `k drain ${node} --ignore-daemonsets --pod-selector=app=${name}`;
      await isHeldUp(run, drain, name);
      await leavesWhenGuarded(run, `${drain} --timeout=60s`, { name, node });
      assert.equal(
        await run(`k uncordon ${node}; k delete deploy,pdb ${name}`),
        `node/${node} uncordoned\ndeployment.apps "${name}" deleted\npoddisruptionbudget.policy "${name}" deleted\n`,
      );
    });
  }
}

const counted = (name: string, field: string, value: number): string =>
  `k wait --for=jsonpath='{.status.${field}}'=${value} pdb/${name} --timeout=30s`;

/** The only pod of a budget that wants one stays, and the drain says why. */
async function isHeldUp(run: Run, drain: string, name: string): Promise<void> {
  await run(`k create pdb ${name} --selector=app=${name} --min-available=1`);
  const met = `poddisruptionbudget.policy/${name} condition met\n`;
  assert.equal(await run(counted(name, 'currentHealthy', 1)), met);
  const refused = await run(`${drain} --timeout=2s`);
  assert.match(
    refused,
    /\(will retry after 5s\): Cannot evict pod as it would violate the pod's disruption budget\.$/m,
  );
  assert.match(refused, /^There are pending nodes to be drained:\n .*\n.*: global timeout reached: 2s\n\[exit 1\]$/m);
  const line = await run(`k get pdb ${name} --no-headers`);
  assert.match(line, new RegExp(`^${name} +1 +N/A +0 +\\S+\\n$`));
}

/** With a second pod elsewhere the first may go, and the budget has one again to spare when all is done. */
async function leavesWhenGuarded(
  run: Run,
  drain: string,
  { name, node }: Record<'name' | 'node', string>,
): Promise<void> {
  const met = `poddisruptionbudget.policy/${name} condition met\n`;
  await run(`k scale deploy/${name} --replicas=2`);
  assert.equal(await run(counted(name, 'disruptionsAllowed', 1)), met);
  assert.match(await run(drain, { timeoutMs: 90_000 }), /\npod\/guarded-.* evicted\nnode\/.* drained\n$/);
  assert.equal(await run(counted(name, 'disruptionsAllowed', 1)), met);
  const nodes = await run(`k get pods -l app=${name} -o jsonpath='{.items[*].spec.nodeName}'`);
  assert.ok(!nodes.split(' ').includes(node), nodes);
}
