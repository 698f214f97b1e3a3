import { clusterroles } from '../../shared/api/generated/resources.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { plannedRules } from './plan-aggregation.js';

/** Gives a ClusterRole with an aggregationRule the rules of all that it selects: admin, edit and view grow this way. */
export const clusterRoleAggregationController: ControllerDefinition = {
  name: 'clusterrole-aggregation-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('clusterrole-aggregation-controller');
    const roles = context.informers.informer(clusterroles);
    const controller = newController(context, {
      name: 'clusterrole-aggregation',
      informers: [roles],
      workers: 2,
      reconcile: async (key, signal) => {
        const role = roles.lister.get(key);
        const rules = role && plannedRules(role, roles.lister.list());
        if (!role || !rules) return;
        const { resourceVersion } = role.metadata;
        try {
          await client.patch(
            clusterroles,
            key,
            undefined,
            'merge',
            { metadata: { resourceVersion }, rules },
            { signal },
          );
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      },
    });
    // Any role may be part of any aggregated one; those are few.
    const enqueueAll = (): void => {
      for (const { metadata, aggregationRule } of roles.lister.list()) {
        if (aggregationRule) controller.queue.add(metadata.name);
      }
    };
    roles.addHandler({ onAdd: enqueueAll, onUpdate: enqueueAll, onDelete: enqueueAll });
    return controller;
  },
};
