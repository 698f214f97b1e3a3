import type { Command } from 'commander';
import { homedir } from 'node:os';
import { readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { addEncryptionCommands } from './encryption-commands.js';
import { passedFlags, readPassedFlags } from './apiserver-flags.js';
import { Failure } from './failure.js';
import { requireRoot } from './host.js';
import { pkiFiles } from './identity.js';
import { kubeletFlagDefinitions, type KubeletFlagValues, readKubeletFlags } from './kubelet-flags.js';
import { Progress } from './progress.js';
import { clusterFiles, readState } from './state.js';
import type { UpChoices } from './plan.js';
import type { UpResult } from './up.js';

// Each command loads its code when it runs: most calls of knarr are not these.

interface ClusterFlag {
  name: string;
}
interface TimeoutFlag {
  timeout: number;
}
interface UpFlags extends InitFlags, TimeoutFlag {
  wait: boolean;
}
interface InitFlags extends ClusterFlag, KubeletFlagValues {
  nodes: number;
  dockerHost: string;
  securePort: number;
  clusterCidr: string;
  serviceCidr: string;
  nodePortRange: string;
  clusterDns: string;
  clusterDomain: string;
  nodeCpu?: string;
  nodeMemory?: string;
}
interface JoinFlags extends ClusterFlag, TimeoutFlag, KubeletFlagValues {
  token: string;
  caHash: string;
  nodeName?: string;
  dockerHost: string;
  nodeCpu?: string;
  nodeMemory?: string;
}
interface TokenFlags extends ClusterFlag {
  ttl: number;
  description?: string;
  printJoinCommand: boolean;
}

const defaultDockerHost = (): string => process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock';

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new Failure(`"${text}" is not a whole number`);
  return Number(text);
}

/** `30s`, `5m`, `24h`, or seconds; in milliseconds. */
function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+)(s|m|h)?$/.exec(text) ?? [];
  if (amount === undefined) throw new Failure(`"${text}" is not a duration; it looks like 30s, 5m or 24h`);
  return Number(amount) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? 1_000);
}

/** Commands that start, stop and look after clusters on this host. */
export function addClusterCommands(program: Command): void {
  const named = (command: Command): Command => command.option('--name <cluster>', 'name of the cluster', 'default');
  const timed = (command: Command): Command =>
    command.option('--timeout <duration>', 'how long to wait until it is ready', duration, 120_000);
  const noded = (command: Command): Command => {
    for (const { name, argument, description } of kubeletFlagDefinitions)
      command.option(`--${name} <${argument}>`, description);
    return command
      .option('--docker-host <url>', 'socket of the Docker Engine', defaultDockerHost())
      .option('--node-cpu <quantity>', 'CPU that a node reports instead of the whole machine')
      .option('--node-memory <quantity>', 'memory that a node reports instead of the whole machine');
  };
  chosen(noded(timed(named(program.command('up')))))
    .description('start a cluster on this machine')
    .option('--wait', "also wait until the cluster's DNS answers", false)
    .action(runUp);
  addInternalCommands(program, named, timed, noded);
  timed(named(program.command('start')))
    .description('start a stopped cluster again')
    .action(runStart);
  named(program.command('stop'))
    .description('stop the processes of a cluster; pods go on')
    .option('--pods', 'stop the pods too', false)
    .action(runStop);
  named(program.command('down'))
    .description('remove a cluster from this machine with all its containers, networks and data')
    .action(runDown);
  named(program.command('status'))
    .description('show processes and nodes of the cluster on this machine')
    .action(runStatus);
  const token = program.command('token').description('tokens with which machines join');
  named(token.command('create'))
    .description('make a token')
    .option('--ttl <duration>', 'how long it is valid', duration, 24 * 3_600_000)
    .option('--description <text>', 'what it is for')
    .option('--print-join-command', 'print the whole command for the other machine', false)
    .action(runTokenCreate);
  addEncryptionCommands(program, named);
  noded(timed(named(program.command('join'))))
    .description('make this machine a node of a cluster')
    .argument('<server>', 'address of the API server, https://HOST:6443')
    .requiredOption('--token <token>', 'from knarr token create')
    .requiredOption(
      '--ca-hash <hash>',
      "sha256:... of the authority's public key, from knarr token create --print-join-command",
    )
    .option('--node-name <name>', "name of the node (default: this host's name)")
    .action(runJoin);
}

/** What a new cluster is made of. */
function chosen(command: Command): Command {
  for (const { name, argument, description, isRepeated } of passedFlags) {
    const collect = (value: string, before: string[]): string[] => [...before, value];
    if (isRepeated) command.option(`--${name} <${argument}>`, description, collect, []);
    else command.option(`--${name} <${argument}>`, description);
  }
  return command
    .option('--nodes <count>', 'number of nodes on this machine', integer, 1)
    .option('--secure-port <port>', 'port of the API server; the next free one is taken', integer, 6443)
    .option('--cluster-cidr <cidr>', 'addresses of pods', '10.244.0.0/16')
    .option('--service-cidr <cidr>', 'addresses of Services', '10.96.0.0/16')
    .option('--node-port-range <range>', 'ports of Services on nodes', '30000-32767')
    .option('--cluster-dns <address>', 'address of the DNS Service', '10.96.0.10')
    .option('--cluster-domain <domain>', 'domain of the cluster', 'cluster.local');
}

type Decorate = (command: Command) => Command;

/**
 * The steps of `up` one by one, for whoever keeps the processes running instead of our supervisor: docker-compose.yml. They stand under
 * a word of their own because `run` is kubectl's.
 */
function addInternalCommands(program: Command, named: Decorate, timed: Decorate, noded: Decorate): void {
  const internal = program.command('internal', { hidden: true }).description('the steps of up, one by one');
  chosen(noded(named(internal.command('init'))))
    .description('prepare a cluster on this machine without starting it')
    .action(runInit);
  named(internal.command('run'))
    .description('run one process of a prepared cluster in the foreground')
    .argument('<process>', 'apiserver, controller-manager, scheduler, kubelet-NODE or kube-proxy-NODE')
    .action(runProcess);
  timed(named(internal.command('bootstrap')))
    .description('wait for a cluster whose processes run, and install context and add-ons')
    .option('--wait', "also wait until the cluster's DNS answers", false)
    .action(runBootstrap);
}

function requireNodeCount(count: number): void {
  if (count < 1 || count > 200) throw new Failure(`--nodes ${count}: a machine runs 1 to 200 nodes`);
}

function choicesOf(flags: InitFlags): UpChoices {
  requireNodeCount(flags.nodes);
  const { name, nodes, dockerHost, securePort, nodePortRange, clusterDomain } = flags;
  const sizes = {
    ...(flags.nodeCpu ? { nodeCPU: flags.nodeCpu } : {}),
    ...(flags.nodeMemory ? { nodeMemory: flags.nodeMemory } : {}),
  };
  return {
    name,
    nodes,
    dockerHost,
    securePort,
    nodePortRange,
    clusterDomain,
    clusterCIDR: flags.clusterCidr,
    serviceCIDR: flags.serviceCidr,
    clusterDNS: flags.clusterDns,
    apiserverFlags: readPassedFlags(flags as unknown as Readonly<Record<string, unknown>>),
    kubeletFlags: readKubeletFlags(flags),
    ...sizes,
  };
}

async function runUp(flags: UpFlags): Promise<void> {
  requireRoot(process.argv.slice(2));
  const choices = choicesOf(flags);
  const { up } = await import('./up.js');
  const progress = new Progress();
  tell(await up({ ...choices, wait: flags.wait, timeoutMs: flags.timeout }, progress), progress);
}

async function runInit(flags: InitFlags): Promise<void> {
  requireRoot(process.argv.slice(2));
  const choices = choicesOf(flags);
  const { initialise } = await import('./up.js');
  const state = await initialise(choices);
  process.stdout.write(
    `cluster "${state.name}" is prepared: ${state.nodes.length} nodes, API server on port ${state.securePort}\n`,
  );
}

async function runProcess(name: string, { name: cluster }: ClusterFlag): Promise<void> {
  const { runPlanned } = await import('./foreground.js');
  await runPlanned(cluster, name);
}

async function runBootstrap({ name, wait, timeout }: ClusterFlag & TimeoutFlag & { wait: boolean }): Promise<void> {
  const { bootstrap } = await import('./up.js');
  const progress = new Progress();
  tell(await bootstrap(name, { wait, timeoutMs: timeout }, progress), progress);
}

async function runStart({ name, timeout }: ClusterFlag & TimeoutFlag): Promise<void> {
  requireRoot(process.argv.slice(2));
  const { start } = await import('./up.js');
  const progress = new Progress();
  tell(await start(name, timeout, progress), progress);
}

function tell({ state, kubeconfig, context, wasRunning }: UpResult, progress: Progress): void {
  const is = wasRunning ? 'is running' : 'is ready';
  if (state.role === 'agent') {
    progress.done(`node "${state.nodes[0]?.name ?? ''}" ${is} in the cluster of ${state.server}`);
    return;
  }
  const nodes = `${state.nodes.length} ${state.nodes.length === 1 ? 'node' : 'nodes'}`;
  progress.done(`cluster "${state.name}" ${is}: ${nodes}, API server https://${state.linkAddress}:${state.securePort}`);
  process.stdout.write(`context "${context}" in ${kubeconfig}; try: kubectl get nodes\n`);
}

async function runStop({ name, pods }: ClusterFlag & { pods: boolean }): Promise<void> {
  requireRoot(process.argv.slice(2));
  const { stop } = await import('./down.js');
  const progress = new Progress();
  await stop(name, { pods }, progress);
  progress.done(`cluster "${name}" is stopped${pods ? '' : '; its pods go on'}. Start it again with: knarr start`);
}

async function runDown({ name }: ClusterFlag): Promise<void> {
  requireRoot(process.argv.slice(2));
  const { down } = await import('./down.js');
  const progress = new Progress();
  const removed = await down(name, progress);
  progress.done(removed ? `cluster "${name}" is removed` : `there is no cluster "${name}"`);
  // A node may not remove itself from the API.
  if (removed?.role === 'agent')
    process.stdout.write(`on the server, forget this node with: kubectl delete node ${removed.nodes[0]?.name ?? ''}
`);
}

async function runStatus({ name }: ClusterFlag): Promise<void> {
  const { status } = await import('./status.js');
  const found = await status(name);
  const rows = [['PROCESS', 'PID', 'HEALTH'], ...found.processes.map((p) => [p.name, String(p.pid ?? '-'), p.health])];
  const nodes = [['NODE', 'STATUS'], ...found.nodes.map((n) => [n.name, n.ready])];
  process.stdout.write(
    `cluster ${found.name} at ${found.server}: ${found.isRunning ? 'running' : 'stopped'}\n\n${table(rows)}\n${table(nodes)}`,
  );
  if (
    !found.isRunning ||
    found.processes.some((p) => p.health !== 'ok') ||
    found.nodes.some((n) => n.ready !== 'Ready')
  )
    process.exitCode = 1;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}

async function runTokenCreate({ name, ttl, description, printJoinCommand }: TokenFlags): Promise<void> {
  const files = clusterFiles(homedir(), name);
  const state = readState(files);
  if (state?.role !== 'server')
    throw new Failure(`The server of cluster "${name}" does not run on this machine; tokens are made there`);
  const [{ connect }, { createBootstrapToken }] = await Promise.all([import('./connection.js'), import('./token.js')]);
  const client = await connect(files, state);
  try {
    const token = await createBootstrapToken(client, {
      ttlMs: ttl,
      now: Date.now(),
      ...(description ? { description } : {}),
    });
    if (!printJoinCommand) {
      process.stdout.write(`${token}\n`);
      return;
    }
    const { publicKeyHash } = await import('../../shared/pki/certificate.js');
    const hash = publicKeyHash(readFileSync(joinPath(files.pki, `${pkiFiles.ca}.crt`), 'utf8'));
    process.stdout.write(
      `knarr join https://${state.linkAddress}:${state.securePort} --token ${token} --ca-hash ${hash}\n`,
    );
  } finally {
    client.close();
  }
}

async function runJoin(server: string, flags: JoinFlags): Promise<void> {
  requireRoot(process.argv.slice(2));
  const { join } = await import('./join.js');
  const progress = new Progress();
  const { name, token, caHash, dockerHost, timeout } = flags;
  const sizes = {
    ...(flags.nodeCpu ? { nodeCPU: flags.nodeCpu } : {}),
    ...(flags.nodeMemory ? { nodeMemory: flags.nodeMemory } : {}),
  };
  const named = flags.nodeName ? { nodeName: flags.nodeName } : {};
  const state = await join(
    {
      name,
      server,
      token,
      caHash,
      dockerHost,
      kubeletFlags: readKubeletFlags(flags),
      timeoutMs: timeout,
      ...sizes,
      ...named,
    },
    progress,
  );
  progress.done(`node "${state.nodes[0]?.name ?? ''}" has joined ${state.server}`);
}
