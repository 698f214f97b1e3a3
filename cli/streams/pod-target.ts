import type { Pod } from '../../shared/api/generated/types.js';
import { ANNOTATION_DEFAULT_CONTAINER } from '../../shared/api/well-known.js';
import { formatLabelSelector, formatSelector, selectorOfMap } from '../../shared/api/selector.js';
import { Failure } from '../cluster/failure.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { findObjects, listObjects, type FoundObject } from '../found-objects.js';
import { WaitTimeout } from '../observation.js';

/** How long to wait for a pod of a workload that has none, as a duration; and the manifest instead of words. */
export interface PodQuery {
  readonly podRunningTimeout: string;
  readonly filename?: readonly string[] | undefined;
}

/**
 * Pods behind a word such as `web`, `pod/web`, `deploy/web` or `svc/web`, the running and ready ones first; at least one.
 * @throws Failure where none came in time
 */
export async function podsBehind(
  context: CommandContext,
  words: readonly string[],
  { podRunningTimeout, filename: files }: PodQuery,
): Promise<{ target: FoundObject; pods: Pod[] }> {
  const { found, errors } = await findObjects(context, { words, files, defaultType: 'pods' });
  const [target] = found;
  if (!target) throw errors[0];
  if (target.type.kind === 'Pod') return { target, pods: [target.object as unknown as Pod] };
  const labelSelector = podSelector(target);
  const mapper = await context.mapper();
  const api = await context.api();
  const end = context.clock.monotonic() + parseDuration(podRunningTimeout);
  for (;;) {
    const list = await listObjects(api, mapper.resolve('pods'), { namespace: target.namespace, labelSelector });
    if (list.length > 0) return { target, pods: list.map(({ object }) => object as unknown as Pod).sort(byFitness) };
    const leftMs = end - context.clock.monotonic();
    if (leftMs <= 0) throw new Failure(new WaitTimeout().message);
    await context.clock.sleep(Math.min(500, leftMs), context.signal);
  }
}

function podSelector({ object, type, name }: FoundObject): string {
  const spec = object['spec'] as { selector?: Record<string, unknown> } | undefined;
  const selector = spec?.selector;
  if (!selector || Object.keys(selector).length === 0) {
    throw new Failure(
      type.kind === 'Service'
        ? `invalid service '${name}': Service is defined without a selector`
        : `cannot attach to *${type.apiVersion}.${type.kind}: selector not found`,
    );
  }
  if (type.kind === 'Service' || type.kind === 'ReplicationController') {
    return formatSelector(selectorOfMap(selector as Record<string, string>));
  }
  return formatLabelSelector(selector);
}

/** The pod that most likely answers: scheduled, running, ready, and old. */
function byFitness(a: Pod, b: Pod): number {
  const rank = (pod: Pod): number =>
    (pod.spec.nodeName ? 0 : 4) +
    (pod.status?.phase === 'Running' ? 0 : 2) +
    (pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ? 0 : 1);
  return rank(a) - rank(b) || String(a.metadata.creationTimestamp).localeCompare(String(b.metadata.creationTimestamp));
}

/** One pod behind the words: the one that most likely answers. @throws Failure when there is none. */
export async function onePodBehind(context: CommandContext, words: readonly string[], query: PodQuery): Promise<Pod> {
  const { pods } = await podsBehind(context, words, query);
  const [pod] = pods;
  if (!pod) throw new Failure(new WaitTimeout().message);
  return pod;
}

/** All containers of a pod by name: main, ephemeral and init ones. */
export function containerNames(pod: Pod): string[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec;
  return [...containers, ...ephemeralContainers, ...initContainers].map(({ name }) => name);
}

/** The same for people, with what kind they are of. */
function shownContainers({ spec }: Pod): string {
  const marked = (containers: readonly { name: string }[] = [], mark = ''): string[] =>
    containers.map(({ name }) => name + mark);
  return [
    ...marked(spec.containers),
    ...marked(spec.ephemeralContainers, ' (ephem)'),
    ...marked(spec.initContainers, ' (init)'),
  ].join(', ');
}

/**
 * The container that is meant: the named one, else the annotated one, else the first, which is told when there are several.
 * @throws Failure for one that the pod has not
 */
export function chooseContainer(pod: Pod, name: string | undefined, tell: (line: string) => void): string {
  const all = containerNames(pod);
  const { metadata } = pod;
  const wanted = name || metadata.annotations?.[ANNOTATION_DEFAULT_CONTAINER];
  if (wanted) {
    if (all.includes(wanted)) return wanted;
    throw new Failure(`container ${wanted} is not valid for pod ${metadata.name} out of: ${shownContainers(pod)}`);
  }
  const first = pod.spec.containers[0]?.name ?? '';
  if (all.length > 1) {
    tell(`Defaulted container "${first}" out of: ${shownContainers(pod)}`);
  }
  return first;
}
