import { secrets } from '../../shared/api/generated/resources.js';
import type { Secret } from '../../shared/api/generated/types.js';
import { NAMESPACE_SYSTEM } from '../../shared/api/well-known.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { objectKey } from '../../shared/api/object.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';

/** When a bootstrap token ends, in milliseconds since the epoch; undefined: never. An unreadable time has passed. */
export function expirationMs(secret: Secret): number | undefined {
  const encoded = secret.data?.['expiration'];
  if (!encoded) return undefined;
  const ms = Date.parse(Buffer.from(encoded, 'base64').toString('utf8'));
  return Number.isNaN(ms) ? 0 : ms;
}

/** Deletes bootstrap tokens when they expire. */
export const tokenCleanerController: ControllerDefinition = {
  name: 'token-cleaner-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('token-cleaner');
    const tokens = context.informers.informer(secrets, {
      namespace: NAMESPACE_SYSTEM,
      fieldSelector: 'type=bootstrap.kubernetes.io/token',
    });
    const controller = newController(context, {
      name: 'tokencleaner',
      informers: [tokens],
      workers: 1,
      reconcile: async (key, signal) => {
        const secret = tokens.lister.get(key);
        const endMs = secret && expirationMs(secret);
        if (!secret || endMs === undefined) return;
        const leftMs = endMs - context.clock.now();
        if (leftMs > 0) return { requeueAfterMs: leftMs };
        const { name, namespace, uid } = secret.metadata;
        await client.delete(secrets, name, namespace, { preconditions: { uid }, signal }).catch((error: unknown) => {
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
