import { secrets } from '../../shared/api/generated/resources.js';
import { objectKey } from '../../shared/api/object.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { bootstrapTokens, expirationMs } from './bootstrap-token.js';

/** Deletes bootstrap tokens when they expire. */
export const tokenCleanerController: ControllerDefinition = {
  name: 'token-cleaner-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('token-cleaner');
    const tokens = bootstrapTokens(context);
    const controller = newController(context, {
      name: 'tokencleaner',
      informers: [tokens],
      workers: 1,
      reconcile: async (key, signal) => {
        const secret = tokens.lister.get(key);
        const endMs = expirationMs(secret?.data);
        if (!secret || endMs === undefined) return;
        const leftMs = endMs - context.clock.now();
        if (leftMs > 0) return { requeueAfterMs: leftMs };
        const { name, namespace, uid, resourceVersion } = secret.metadata;
        // With the version: whoever prolongs a token meanwhile keeps it.
        const preconditions = { uid, resourceVersion };
        await client.delete(secrets, name, namespace, { preconditions, signal }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      },
    });
    tokens.addHandler({
      onAdd: (secret) => controller.queue.add(objectKey(secret)),
      onUpdate: (_, secret) => controller.queue.add(objectKey(secret)),
    });
    return controller;
  },
};
