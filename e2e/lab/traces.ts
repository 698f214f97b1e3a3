import type { Host } from './host.js';

/** What runs on the host's engine: id and start time of each container, sorted. */
export async function runningContainers(host: Host): Promise<string> {
  const ids = (await host.run(['docker', 'ps', '-q'])).stdout.split('\n').filter(Boolean);
  if (ids.length === 0) return '';
  const format = '{{.Id}} {{.Name}} {{.State.StartedAt}}';
  const { stdout } = await host.run(['docker', 'inspect', '--format', format, ...ids]);
  return stdout.trim().split('\n').sort().join('\n');
}

/** All that a cluster could leave on a host: containers, networks, volumes, packet rules, routes, addresses. */
export async function hostTraces(host: Host): Promise<string> {
  const looks = [
    ['docker', 'ps', '-aq'],
    ['docker', 'network', 'ls', '--format', '{{.Name}}'],
    ['docker', 'volume', 'ls', '-q'],
    ['nft', 'list', 'tables'],
    ['ip', '-4', 'route'],
    ['ip', 'rule'],
    ['ip', '-o', '-4', 'addr'],
    ['ip', '-o', 'link'],
  ];
  const answers = await Promise.all(looks.map(async (argv) => `${argv.join(' ')}\n${(await host.run(argv)).stdout}`));
  return [...answers, await filterRules(host)].join('\n');
}

/** The rules of iptables, Docker's and ours in its chains, without counters; chains have no order among each other. */
async function filterRules(host: Host): Promise<string> {
  const { stdout } = await host.run(['iptables-save']);
  const rules = stdout.split('\n').filter((line) => /^[:-]/.test(line));
  return rules
    .map((line) => line.replace(/ \[\d+:\d+\]$/, ''))
    .sort()
    .join('\n');
}
