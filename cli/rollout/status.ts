import type { DaemonSet, Deployment, StatefulSet } from '../../shared/api/generated/types.js';
import { ANNOTATION_DEPLOYMENT_REVISION } from '../../shared/api/well-known.js';
import { Failure } from '../cluster/failure.js';
import type { FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { throwCollected } from '../failures.js';
import type { FoundObject } from '../found-objects.js';
import { observe, WaitTimeout } from '../observation.js';
import type { AnyObject } from '../server-api.js';
import { toldWorkloads } from './change.js';

export interface StatusFlags extends FileFlags {
  selector?: string;
  watch: boolean;
  revision: number;
  timeout: string;
}

/** The words for a state, and whether the rollout is over. */
export interface RolloutState {
  readonly message: string;
  readonly isDone: boolean;
}

export async function runStatus(
  context: CommandContext,
  flags: StatusFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (words.length === 0 && !flags.filename) throw new Failure('required resource not specified');
  if (flags.revision < 0) throw new Failure(`revision must be a positive integer: ${flags.revision}`);
  const { found, errors } = await toldWorkloads(context, flags, words);
  for (const target of found) {
    try {
      await follow(context, flags, target);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

async function follow(context: CommandContext, flags: StatusFlags, target: FoundObject): Promise<void> {
  let last = '';
  try {
    for await (const object of observe(context, target, parseDuration(flags.timeout))) {
      if (!object) throw new Failure('object has been deleted');
      const { message, isDone } = rolloutState(
        { ...object, apiVersion: target.type.apiVersion, kind: target.type.kind },
        flags.revision,
      );
      if (message !== last) context.print(message);
      last = message;
      if (isDone || !flags.watch) return;
    }
  } catch (error) {
    if (error instanceof WaitTimeout) throw new Failure('timed out waiting for the condition');
    throw error;
  }
}

/** What kubectl says of a workload. @throws Failure when the rollout cannot succeed any more. */
export function rolloutState(object: AnyObject, revision = 0): RolloutState {
  switch (object.kind) {
    case 'Deployment':
      return deploymentState(object as unknown as Deployment, revision);
    case 'DaemonSet':
      return daemonSetState(object as unknown as DaemonSet);
    case 'StatefulSet':
      return statefulSetState(object as unknown as StatefulSet);
    default:
      throw new Failure(`no status viewer has been implemented for ${kindOf(object)}`);
  }
}

/** `Job.batch`, `Pod`. */
function kindOf({ apiVersion, kind }: AnyObject): string {
  const [group, version] = apiVersion.split('/');
  return version === undefined ? kind : `${kind}.${group ?? ''}`;
}

const waiting = (message: string): RolloutState => ({ message, isDone: false });

function deploymentState({ metadata, spec, status }: Deployment, revision: number): RolloutState {
  const { name, generation = 0 } = metadata;
  if (revision > 0) {
    const actual = Number(metadata.annotations?.[ANNOTATION_DEPLOYMENT_REVISION] ?? 0);
    if (actual !== revision) {
      throw new Failure(`desired revision (${revision}) is different from the running revision (${actual})`);
    }
  }
  if (generation > (status?.observedGeneration ?? 0))
    return waiting('Waiting for deployment spec update to be observed...');
  const progressing = status?.conditions?.find((condition) => condition.type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    throw new Failure(`deployment "${name}" exceeded its progress deadline`);
  }
  const wait = (what: string): RolloutState =>
    waiting(`Waiting for deployment "${name}" rollout to finish: ${what}...`);
  const { updatedReplicas: updated = 0, replicas = 0, availableReplicas: available = 0 } = status ?? {};
  const wanted = spec.replicas ?? 1;
  if (updated < wanted) return wait(`${updated} out of ${wanted} new replicas have been updated`);
  if (replicas > updated) return wait(`${replicas - updated} old replicas are pending termination`);
  if (available < updated) return wait(`${available} of ${updated} updated replicas are available`);
  return { message: `deployment "${name}" successfully rolled out`, isDone: true };
}

function daemonSetState({ metadata, spec, status }: DaemonSet): RolloutState {
  const { name, generation = 0 } = metadata;
  if (spec.updateStrategy?.type !== 'RollingUpdate') {
    throw new Failure(`rollout status is only available for RollingUpdate strategy type`);
  }
  if (generation > (status?.observedGeneration ?? 0))
    return waiting('Waiting for daemon set spec update to be observed...');
  const wait = (what: string): RolloutState =>
    waiting(`Waiting for daemon set "${name}" rollout to finish: ${what}...`);
  const {
    updatedNumberScheduled: updated = 0,
    desiredNumberScheduled: wanted = 0,
    numberAvailable: available = 0,
  } = status ?? {};
  if (updated < wanted) return wait(`${updated} out of ${wanted} new pods have been updated`);
  if (available < wanted) return wait(`${available} of ${wanted} updated pods are available`);
  return { message: `daemon set "${name}" successfully rolled out`, isDone: true };
}

function statefulSetState({ metadata, spec, status }: StatefulSet): RolloutState {
  const { generation = 0 } = metadata;
  if (spec.updateStrategy?.type !== 'RollingUpdate') {
    throw new Failure(`rollout status is only available for RollingUpdate strategy type`);
  }
  const { observedGeneration = 0, readyReplicas = 0, updatedReplicas = 0 } = status ?? {};
  if (observedGeneration === 0 || generation > observedGeneration) {
    return waiting('Waiting for statefulset spec update to be observed...');
  }
  const wanted = spec.replicas ?? 1;
  if (readyReplicas < wanted) return waiting(`Waiting for ${wanted - readyReplicas} pods to be ready...`);
  const partition = spec.updateStrategy.rollingUpdate?.partition;
  // Servers set it to 0: this is what is seen of every rolling update.
  if (partition !== undefined) {
    const expected = wanted - partition;
    if (updatedReplicas < expected) {
      return waiting(
        `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${expected} new pods have been updated...`,
      );
    }
    return { message: `partitioned roll out complete: ${updatedReplicas} new pods have been updated...`, isDone: true };
  }
  if (status?.updateRevision !== status?.currentRevision) {
    return waiting(
      `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${status?.updateRevision ?? ''}...`,
    );
  }
  return {
    message: `statefulset rolling update complete ${status?.currentReplicas ?? 0} pods at revision ${status?.currentRevision ?? ''}...`,
    isDone: true,
  };
}
