import { pods as podResource } from '../shared/api/generated/resources.js';
import type { Pod, PodCondition } from '../shared/api/generated/types.js';
import { objectKey } from '../shared/api/object.js';
import type { Client } from '../shared/client/client.js';
import type { Clock } from '../shared/clock/clock.js';
import type { EventRecorder } from '../shared/controller/event-recorder.js';
import { isConflict, isNotFound } from '../shared/errors/status-error.js';
import type { Log } from '../shared/log/log.js';

/** Node that a pod has in view: `null` takes it away, `undefined` leaves it as it is. */
export type NominationChange = string | null | undefined;

/** Tells in a pod's status and events why it has no node yet. */
export class PodReporter {
  readonly #deps: {
    readonly client: Client;
    readonly clock: Clock;
    readonly log: Log;
    readonly recorder: EventRecorder;
  };

  constructor(deps: { client: Client; clock: Clock; log: Log; recorder: EventRecorder }) {
    this.#deps = deps;
  }

  /** Never fails: the next attempt tells again. */
  async refused(pod: Pod, message: string, nomination?: NominationChange): Promise<void> {
    this.#deps.recorder.event(pod, 'Warning', 'FailedScheduling', message);
    const previous = pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
    const isTold = previous?.status === 'False' && previous.reason === 'Unschedulable' && previous.message === message;
    const nominatedNodeName = changed(pod, nomination);
    if (isTold && nominatedNodeName === undefined) return;
    await this.#patch(pod, { ...this.#condition(previous, message), ...nominatedNodeName });
  }

  /** Never fails. */
  async nominate(pod: Pod, nomination: string | null): Promise<void> {
    const change = changed(pod, nomination);
    if (change) await this.#patch(pod, change);
  }

  #condition(previous: PodCondition | undefined, message: string): { conditions: object[] } {
    const now = new Date(this.#deps.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const lastTransitionTime = previous?.status === 'False' ? previous.lastTransitionTime : now;
    return {
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime }],
    };
  }

  async #patch(pod: Pod, status: object): Promise<void> {
    const { client, log } = this.#deps;
    const { name, namespace, uid } = pod.metadata;
    // With its uid: a pod of the same name that came since is not meant.
    const patch = { metadata: { uid }, status };
    try {
      await client.patch(podResource, name, namespace, 'strategic', patch, { subresource: 'status' });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error))
        log.warn('could not report that a pod has no node', { pod: objectKey(pod), error });
    }
  }
}

function changed(pod: Pod, nomination: NominationChange): { nominatedNodeName: string | null } | undefined {
  if (nomination === undefined || (pod.status?.nominatedNodeName ?? null) === nomination) return undefined;
  return { nominatedNodeName: nomination };
}
