import { replicasets } from '../../shared/api/generated/resources.js';
import type { ReplicaSet } from '../../shared/api/generated/types.js';
import { selectorOf } from '../../shared/api/selector.js';
import { replicasController } from './replicas-controller.js';

/** Keeps as many pods of a ReplicaSet as spec.replicas says. */
export const replicaSetController = replicasController<ReplicaSet>({
  resource: replicasets,
  controller: 'replicaset-controller',
  account: 'replicaset-controller',
  queue: 'replicaset',
  selector: ({ spec }) => selectorOf(spec?.selector),
  countsTerminating: true,
});
