import type { ReplicaSet, ReplicationController } from '../../shared/api/generated/types.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Selector } from '../../shared/api/selector.js';

/** An object that asks for a number of pods of a template. */
export type Replicated = ReplicaSet | ReplicationController;

/** What differs between the kinds that ask for a number of pods: the mechanism is one (`replicas-controller.ts`). */
export interface ReplicatedKind<T extends Replicated> {
  readonly resource: Resource<T>;
  /** As in the original's --controllers flag. */
  readonly controller: string;
  /** ServiceAccount in kube-system, and the source of the events. */
  readonly account: string;
  /** Name of the queue in logs and metrics. */
  readonly queue: string;
  readonly selector: (object: T) => Selector;
  /** Whether status.terminatingReplicas is a field of the kind. */
  readonly countsTerminating: boolean;
}
