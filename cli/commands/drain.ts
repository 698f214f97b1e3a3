import type { Command } from 'commander';
import type { Pod } from '../../shared/api/generated/types.js';
import { isPodTerminal } from '../../shared/api/pod.js';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound, isTooManyRequests } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { dryRunFlag, dryRunOf, dryRunSuffix } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { ExitError } from '../failures.js';
import { durationFlag, booleanFlag, integerFlag } from '../flags.js';
import { listObjects, referenceName, type FoundObject } from '../found-objects.js';
import { setUnschedulable } from '../node/cordon.js';
import { observe, WaitTimeout } from '../observation.js';

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
    .addOption(durationFlag('--timeout <duration>', 'how long to wait; 0 = for ever', '0s'))
    .addOption(integerFlag('--grace-period <seconds>', 'time for each pod to end; negative: its own', -1))
    .addOption(booleanFlag('--force', 'also pods that no controller would make again'))
    .addOption(booleanFlag('--ignore-daemonsets', 'leave pods of DaemonSets'))
    .addOption(booleanFlag('--delete-emptydir-data', 'also pods with data in emptyDir volumes'))
    .addOption(booleanFlag('--disable-eviction', 'delete instead of evicting'))
    .addOption(integerFlag('--chunk-size <count>', 'accepted for compatibility', 500))
    .addOption(dryRunFlag());
  host.bind<DrainFlags>(command, runDrain);
}

async function runDrain(
  context: CommandContext,
  flags: DrainFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const dryRun = dryRunOf(flags.dryRun);
  const change = { isUnschedulable: true, dryRun, command: 'drain' };
  const nodes = await setUnschedulable(context, { words, selector: flags.selector }, change);
  const pending: string[] = [];
  const problems: string[] = [];
  for (const node of nodes) {
    const pods = await podsOf(context, flags, node);
    const { leaving, warnings, refusals } = planDrain(pods, flags, await daemonSetsOf(context, pods));
    if (refusals.length > 0) {
      context.tell(
        `error: unable to drain node "${node.name}" due to error: ${listed(refusals)}, continuing command...`,
      );
      pending.push(node.name);
      problems.push(...refusals);
      continue;
    }
    for (const warning of warnings) context.tell(`Warning: ${warning}`);
    if (dryRun === 'none') {
      const failures = await endPods(context, flags, leaving);
      if (failures.length > 0) {
        tellFailures(context, node.name, failures);
        pending.push(node.name);
        problems.push(...failures.map(({ reason }) => reason));
        continue;
      }
    } else
      for (const { metadata } of leaving)
        context.print(`evicting pod ${metadata.namespace ?? ''}/${metadata.name}${dryRunSuffix(dryRun)}`);
    context.print(`${referenceName(node)} drained${dryRunSuffix(dryRun)}`);
  }
  if (pending.length === 0) return;
  context.tell('There are pending nodes to be drained:');
  for (const name of pending) context.tell(` ${name}`);
  for (const problem of problems) context.tell(problem);
  throw new ExitError(1);
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

/** What one check says of a pod. */
type Verdict =
  | { readonly kind: 'leaves'; readonly warning?: string }
  | { readonly kind: 'stays'; readonly warning?: string }
  | { readonly kind: 'refused'; readonly reason: string };

type DrainChoices = Pick<DrainFlags, 'force' | 'ignoreDaemonsets' | 'deleteEmptydirData'>;

/** The checks in kubectl's order; the first that does not let a pod go decides. `daemonSets` are those that exist, as `namespace/name`. */
function verdictOf(pod: Pod, flags: DrainChoices, daemonSets: ReadonlySet<string>): Verdict {
  const controller = pod.metadata.ownerReferences?.find((owner) => owner.controller);
  const isOver = isPodTerminal(pod);
  if (controller?.kind === 'DaemonSet' && !isOver) {
    if (daemonSets.has(`${pod.metadata.namespace ?? ''}/${controller.name}`)) {
      return flags.ignoreDaemonsets
        ? { kind: 'stays', warning: 'ignoring DaemonSet-managed Pods' }
        : { kind: 'refused', reason: 'DaemonSet-managed Pods (use --ignore-daemonsets to ignore)' };
    }
    // Whoever made it is gone, so nobody makes it again.
    if (!flags.force) return { kind: 'refused', reason: `daemonsets.apps "${controller.name}" not found` };
  }
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror']) return { kind: 'stays' };
  if (!isOver && !flags.deleteEmptydirData && pod.spec.volumes?.some((volume) => volume.emptyDir)) {
    return { kind: 'refused', reason: 'Pods with local storage (use --delete-emptydir-data to override)' };
  }
  if (isOver || controller) return { kind: 'leaves' };
  return flags.force
    ? { kind: 'leaves', warning: 'deleting Pods that declare no controller' }
    : { kind: 'refused', reason: 'Pods that declare no controller (use --force to override)' };
}

/** Which pods leave, and what stands in the way. */
export function planDrain(pods: readonly Pod[], flags: DrainChoices, daemonSets: ReadonlySet<string>): DrainPlan {
  const leaving: Pod[] = [];
  const warnings = new Map<string, string[]>();
  const refusals = new Map<string, string[]>();
  const note = (notes: Map<string, string[]>, text: string, pod: Pod): void => {
    const name = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
    notes.set(text, [...(notes.get(text) ?? []), name]);
  };
  for (const pod of pods) {
    const verdict = verdictOf(pod, flags, daemonSets);
    if (verdict.kind === 'leaves') leaving.push(pod);
    if (verdict.kind === 'refused') note(refusals, verdict.reason, pod);
    else if (verdict.warning !== undefined) note(warnings, verdict.warning, pod);
  }
  return {
    leaving,
    warnings: [...warnings].map(([text, names]) => `${text}: ${names.join(', ')}`),
    refusals: [...refusals].map(([reason, names]) => `cannot delete ${reason}: ${names.join(', ')}`),
  };
}

/** DaemonSets that exist among those that the pods name, as `namespace/name`. */
async function daemonSetsOf(context: CommandContext, pods: readonly Pod[]): Promise<Set<string>> {
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const type = mapper.forGroupKind('apps', 'DaemonSet');
  const found = new Set<string>();
  for (const { metadata } of pods) {
    const owner = metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === 'DaemonSet');
    const key = `${metadata.namespace ?? ''}/${owner?.name ?? ''}`;
    if (!type || !owner || found.has(key)) continue;
    try {
      await api.text({ path: resourcePath(type, metadata.namespace, owner.name) });
      found.add(key);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return found;
}

/** A pod that could not be ended, and why. */
interface DrainFailure {
  readonly name: string;
  readonly reason: string;
}

function tellFailures(context: CommandContext, node: string, failures: readonly DrainFailure[]): void {
  const reasons = listed(failures.map(({ reason }) => reason));
  context.tell(`There are pending pods in node "${node}" when an error occurred: ${reasons}`);
  for (const { name } of failures) context.tell(`pod/${name}`);
  context.tell(`error: unable to drain node "${node}" due to error: ${reasons}, continuing command...`);
}

async function endPods(context: CommandContext, flags: DrainFlags, pods: readonly Pod[]): Promise<DrainFailure[]> {
  const mapper = await context.mapper();
  const type = mapper.resolve('pods');
  const canEvict = !flags.disableEviction && type.subresources.includes('eviction');
  const limitMs = parseDuration(flags.timeout);
  const deadline = limitMs > 0 ? context.clock.monotonic() + limitMs : Infinity;
  const failures: DrainFailure[] = [];
  await Promise.all(
    pods.map(async (pod) => {
      const { name, namespace } = pod.metadata;
      const path = resourcePath(type, namespace, name);
      try {
        await endPod(context, flags, { pod, path, canEvict, deadline });
        await waitUntilGone(context, flags, { type, name, namespace }, pod, deadline);
        context.print(`pod/${name} ${canEvict ? 'evicted' : 'deleted'}`);
      } catch (error) {
        context.signal.throwIfAborted();
        failures.push({ name, reason: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
  return failures;
}

const tooLate = (flags: DrainFlags): string => `global timeout reached: ${flags.timeout}`;

async function waitUntilGone(
  context: CommandContext,
  flags: DrainFlags,
  reference: Parameters<typeof observe>[1],
  { metadata: { uid, name, namespace } }: Pod,
  deadline: number,
): Promise<void> {
  const leftMs = deadline === Infinity ? 0 : Math.max(1, deadline - context.clock.monotonic());
  try {
    for await (const object of observe(context, reference, leftMs)) {
      if (!object || object.metadata.uid !== uid) return;
    }
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new Failure(
      `error when waiting for pod "${name}" in namespace "${namespace ?? ''}" to terminate: ${tooLate(flags)}`,
    );
  }
}

const retryMs = 5_000;

/** Evicts, again after five seconds while a disruption budget says no; deletes where eviction is not served. */
async function endPod(
  context: CommandContext,
  flags: DrainFlags,
  { pod, path, canEvict, deadline }: { pod: Pod; path: string; canEvict: boolean; deadline: number },
): Promise<void> {
  const api = await context.api();
  const grace = flags.gracePeriod >= 0 ? { gracePeriodSeconds: flags.gracePeriod } : {};
  const { name, namespace, uid } = pod.metadata;
  const deleteOptions = { ...grace, preconditions: { uid } };
  const failed = `error when evicting pods/"${name}" -n "${namespace ?? ''}"`;
  for (;;) {
    context.print(`${canEvict ? 'evicting' : 'deleting'} pod ${namespace ?? ''}/${name}`);
    const leftMs = deadline - context.clock.monotonic();
    if (leftMs <= 0) throw new Failure(`${failed}: ${tooLate(flags)}`);
    try {
      if (canEvict) {
        const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions };
        await api.json({ method: 'POST', path: `${path}/eviction`, body, isRetried: false });
      } else {
        await api.json({ method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', ...deleteOptions } });
      }
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isTooManyRequests(error)) throw error;
      context.tell(`${failed} (will retry after 5s): ${(error as Error).message}`);
      await context.clock.sleep(Math.min(retryMs, deadline - context.clock.monotonic()), context.signal);
    }
  }
}
