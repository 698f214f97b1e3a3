import { pods as podResource } from '../shared/api/generated/resources.js';
import type { Pod } from '../shared/api/generated/types.js';
import { DEFAULT_SCHEDULER } from '../shared/api/well-known.js';
import type { Client } from '../shared/client/client.js';
import type { Clock } from '../shared/clock/clock.js';
import type { EventRecorder } from '../shared/controller/event-recorder.js';
import { isConflict, isNotFound } from '../shared/errors/status-error.js';
import type { PodInfo } from './pod-info.js';
import type { Preemption } from './preemption.js';

/** Ends the pods that must make room for another. */
export class Evictor {
  readonly #deps: { readonly client: Client; readonly clock: Clock; readonly recorder: EventRecorder };

  constructor(deps: { client: Client; clock: Clock; recorder: EventRecorder }) {
    this.#deps = deps;
  }

  /** Resolves when all are on their way out; rejects when one could not be told. */
  async evict(preemptor: Pod, { node, victims }: Preemption): Promise<void> {
    await Promise.all(
      victims
        .filter(({ pod }) => !pod.metadata.deletionTimestamp)
        .map((victim) => this.#evict(preemptor, victim, node)),
    );
  }

  async #evict(preemptor: Pod, { pod }: PodInfo, node: string): Promise<void> {
    const { client, clock, recorder } = this.#deps;
    const { name, namespace, uid } = pod.metadata;
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${preemptor.spec.schedulerName ?? DEFAULT_SCHEDULER}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
    };
    try {
      // With its uid: a pod of the same name that came since is not meant.
      const patch = { metadata: { uid }, status: { conditions: [condition] } };
      await client.patch(podResource, name, namespace, 'strategic', patch, { subresource: 'status' });
      await client.delete(podResource, name, namespace, { preconditions: { uid } });
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return;
      throw error;
    }
    recorder.event(pod, 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata.uid} on node ${node}`);
  }
}
