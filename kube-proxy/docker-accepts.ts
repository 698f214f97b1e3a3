import type { Execute } from './execute.js';

const chain = 'DOCKER-USER';
const rules = (cidr: string): string[][] => [
  ['-s', cidr, '-m', 'comment', '--comment', 'knarr', '-j', 'ACCEPT'],
  ['-d', cidr, '-m', 'comment', '--comment', 'knarr', '-j', 'ACCEPT'],
];

/** Docker drops what is forwarded between its bridges and from other hosts unless its DOCKER-USER chain accepts it first. Returns whether anything was missing. */
export async function acceptForwarding(execute: Execute, clusterCIDR: string): Promise<boolean> {
  if (!(await hasChain(execute))) return false;
  let isChanged = false;
  for (const rule of rules(clusterCIDR)) {
    if (await exists(execute, rule)) continue;
    await execute('iptables', ['-w', '-I', chain, ...rule]);
    isChanged = true;
  }
  return isChanged;
}

export async function removeAccepts(execute: Execute, clusterCIDR: string): Promise<void> {
  if (!(await hasChain(execute))) return;
  for (const rule of rules(clusterCIDR))
    if (await exists(execute, rule)) await execute('iptables', ['-w', '-D', chain, ...rule]);
}

/** Absent where no Docker Engine manages this network namespace: then nothing drops. */
const hasChain = (execute: Execute): Promise<boolean> => succeeds(execute('iptables', ['-w', '-n', '-L', chain]));
const exists = (execute: Execute, rule: readonly string[]): Promise<boolean> =>
  succeeds(execute('iptables', ['-w', '-C', chain, ...rule]));
const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
