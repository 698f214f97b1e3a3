import type { Command } from 'commander';
import type { Pod } from '../../shared/api/generated/types.js';
import { isPodTerminal } from '../../shared/api/pod.js';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound, isTooManyRequests } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { dryRunFlag, dryRunOf, dryRunSuffix } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { parseDuration, type CommandContext } from '../context.js';
import { booleanFlag, integerFlag } from '../flags.js';
import { listObjects, referenceName, type FoundObject } from '../found-objects.js';
import { setUnschedulable } from '../node/cordon.js';
import { observe } from '../observation.js';

interface DrainFlags {
  force: boolean;
  ignoreDaemonsets: boolean;
  deleteEmptydirData: boolean;
  disableEviction: boolean;
  gracePeriod: number;
  timeout: string;
  selector?: string;
  podSelector?: string;
  dryRun: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('drain')
    .description('cordon a node and end its pods')
    .usage('NODE [flags]')
    .option('-l, --selector <query>', 'label selector of nodes')
    .option('--pod-selector <query>', 'label selector of pods')
    .option('--timeout <duration>', 'how long to wait; 0 = for ever', '0s')
    .addOption(integerFlag('--grace-period <seconds>', 'time for each pod to end; negative: its own', -1))
    .addOption(booleanFlag('--force', 'also pods that no controller would make again'))
    .addOption(booleanFlag('--ignore-daemonsets', 'leave pods of DaemonSets'))
    .addOption(booleanFlag('--delete-emptydir-data', 'also pods with data in emptyDir volumes'))
    .addOption(booleanFlag('--disable-eviction', 'delete instead of evicting'))
    .addOption(dryRunFlag());
  host.bind<DrainFlags>(command, runDrain);
}

async function runDrain(
  context: CommandContext,
  flags: DrainFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const dryRun = dryRunOf(flags.dryRun);
  const nodes = await setUnschedulable(context, { words, selector: flags.selector }, { isUnschedulable: true, dryRun });
  for (const node of nodes) {
    const pods = await podsOf(context, flags, node);
    const { leaving, warnings, refusals } = planDrain(pods, flags);
    if (refusals.length > 0) {
      context.tell(
        `error: unable to drain node "${node.name}" due to error: ${listed(refusals)}, continuing command...`,
      );
      throw new Failure(`unable to drain node "${node.name}" due to error: ${listed(refusals)}`);
    }
    for (const warning of warnings) context.tell(`Warning: ${warning}`);
    if (dryRun === 'none') await endPods(context, flags, leaving);
    else
      for (const { metadata } of leaving)
        context.print(`evicting pod ${metadata.namespace ?? ''}/${metadata.name}${dryRunSuffix(dryRun)}`);
    context.print(`${referenceName(node)} drained${dryRunSuffix(dryRun)}`);
  }
}

const listed = (texts: readonly string[]): string => (texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`);

async function podsOf(context: CommandContext, flags: DrainFlags, node: FoundObject): Promise<Pod[]> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const scope = { namespace: undefined, fieldSelector: `spec.nodeName=${node.name}`, labelSelector: flags.podSelector };
  return (await listObjects(api, mapper.resolve('pods'), scope)).map(({ object }) => object as unknown as Pod);
}

export interface DrainPlan {
  readonly leaving: readonly Pod[];
  readonly warnings: readonly string[];
  readonly refusals: readonly string[];
}

/** Which pods leave, and what stands in the way. */
export function planDrain(
  pods: readonly Pod[],
  flags: { force: boolean; ignoreDaemonsets: boolean; deleteEmptydirData: boolean },
): DrainPlan {
  const leaving: Pod[] = [];
  const found = { daemons: [] as string[], local: [] as string[], bare: [] as string[] };
  for (const pod of pods) {
    const name = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
    const controller = pod.metadata.ownerReferences?.find((owner) => owner.controller);
    if (pod.metadata.annotations?.['kubernetes.io/config.mirror']) continue;
    if (controller?.kind === 'DaemonSet' && !isPodTerminal(pod)) {
      found.daemons.push(name);
      continue;
    }
    if (!isPodTerminal(pod)) {
      if (pod.spec.volumes?.some((volume) => volume.emptyDir)) found.local.push(name);
      if (!controller) found.bare.push(name);
    }
    leaving.push(pod);
  }
  const refusals: string[] = [];
  const warnings: string[] = [];
  if (found.local.length > 0 && !flags.deleteEmptydirData) {
    refusals.push(
      `cannot delete Pods with local storage (use --delete-emptydir-data to override): ${found.local.join(', ')}`,
    );
  }
  if (found.bare.length > 0) {
    if (flags.force) warnings.push(`deleting Pods that declare no controller: ${found.bare.join(', ')}`);
    else
      refusals.push(
        `cannot delete Pods that declare no controller (use --force to override): ${found.bare.join(', ')}`,
      );
  }
  if (found.daemons.length > 0) {
    if (flags.ignoreDaemonsets) warnings.push(`ignoring DaemonSet-managed Pods: ${found.daemons.join(', ')}`);
    else
      refusals.push(
        `cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): ${found.daemons.join(', ')}`,
      );
  }
  return { leaving, warnings, refusals };
}

async function endPods(context: CommandContext, flags: DrainFlags, pods: readonly Pod[]): Promise<void> {
  const mapper = await context.mapper();
  const type = mapper.resolve('pods');
  const canEvict = !flags.disableEviction && type.subresources.includes('eviction');
  await Promise.all(
    pods.map(async (pod) => {
      const { name, namespace, uid } = pod.metadata;
      context.print(`${canEvict ? 'evicting' : 'deleting'} pod ${namespace ?? ''}/${name}`);
      await endPod(context, flags, { pod, path: resourcePath(type, namespace, name), canEvict });
      for await (const object of observe(context, { type, name, namespace }, parseDuration(flags.timeout))) {
        if (!object || object.metadata.uid !== uid) break;
      }
      context.print(`pod/${name} ${canEvict ? 'evicted' : 'deleted'}`);
    }),
  );
}

/** Evicts, again after five seconds while a disruption budget says no; deletes where eviction is not served. */
async function endPod(
  context: CommandContext,
  flags: DrainFlags,
  { pod, path, canEvict }: { pod: Pod; path: string; canEvict: boolean },
): Promise<void> {
  const api = await context.api();
  const grace = flags.gracePeriod >= 0 ? { gracePeriodSeconds: flags.gracePeriod } : {};
  const { name, namespace, uid } = pod.metadata;
  const deleteOptions = { ...grace, preconditions: { uid } };
  for (;;) {
    try {
      if (canEvict) {
        const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions };
        await api.json({ method: 'POST', path: `${path}/eviction`, body });
      } else {
        await api.json({ method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', ...deleteOptions } });
      }
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isTooManyRequests(error)) throw error;
      context.tell(
        `error when evicting pods/"${name}" -n "${namespace ?? ''}" (will retry after 5s): ${(error as Error).message}`,
      );
      await context.clock.sleep(5_000, context.signal);
    }
  }
}
