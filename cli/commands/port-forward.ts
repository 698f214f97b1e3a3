import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { durationFlag, listFlag } from '../flags.js';
import { forwardPorts } from '../streams/port-forward.js';
import { podsBehind } from '../streams/pod-target.js';
import { namedPorts, parsePorts, remotePort } from '../streams/port-pairs.js';

interface PortForwardFlags {
  podRunningTimeout: string;
  address?: string[];
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('port-forward')
    .description('make ports of a pod reachable on this machine')
    .usage('TYPE/NAME [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N] [flags]')
    .addOption(durationFlag('--pod-running-timeout <duration>', 'how long to wait for a pod of a workload', '1m0s'))
    .addOption(listFlag('--address <addresses>', 'addresses to listen on; default localhost'));
  host.bind<PortForwardFlags>(command, runPortForward);
}

async function runPortForward(
  context: CommandContext,
  flags: PortForwardFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const [word, ...portWords] = words;
  if (word === undefined || portWords.length === 0) {
    throw new Failure(
      "TYPE/NAME and list of ports are required for port-forward\nSee 'knarr port-forward -h' for help and examples",
    );
  }
  const { target, pods } = await podsBehind(context, [word], flags);
  const [pod] = pods;
  if (!pod) throw new Failure(`no pods found for ${target.type.resource}/${target.name}`);
  for (const name of namedPorts(portWords)) remotePort(name, target.object, pod);
  if (pod.status?.phase !== 'Running') {
    throw new Failure(
      `unable to forward port because pod is not running. Current status=${pod.status?.phase ?? 'Unknown'}`,
    );
  }
  const ports = parsePorts(portWords).map(({ local, remote }) => {
    const found = remotePort(remote, target.object, pod);
    return { local: local === 'same' ? (typeof remote === 'number' ? remote : found) : local, remote: found };
  });
  await forwardPorts(context, { pod, ports, addresses: flags.address ?? ['localhost'] });
}
