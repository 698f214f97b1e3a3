import { replicationcontrollers } from '../../shared/api/generated/resources.js';
import type { ReplicationController } from '../../shared/api/generated/types.js';
import { MATCH_NOTHING, selectorOfMap } from '../../shared/api/selector.js';
import { replicasController } from './replicas-controller.js';

/** Keeps as many pods of a ReplicationController as spec.replicas says. */
export const replicationController = replicasController<ReplicationController>({
  resource: replicationcontrollers,
  controller: 'replicationcontroller-controller',
  account: 'replication-controller',
  queue: 'replicationmanager',
  selector: ({ spec }) => (spec?.selector ? selectorOfMap(spec.selector) : MATCH_NOTHING),
  countsTerminating: false,
});
