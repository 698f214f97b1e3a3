import type { Client } from '../../shared/client/client.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import { systemClock } from '../../shared/clock/clock.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Column, ResourceDefinition } from '../registry/definition.js';

/** Texts of all errors that a create of the object gets, as `path: message`; defaults are filled first, as the server does. */
export function createErrors<T extends KubernetesObject>(definition: ResourceDefinition<T>, object: T): string[] {
  definition.strategy.defaults?.(object);
  definition.strategy.prepareForCreate?.(object);
  return (definition.strategy.validate?.(object) ?? []).map(({ path, message }) => `${path}: ${message}`);
}

/** The same for an update of `old` by `change`. */
export function updateErrors<T extends KubernetesObject>(
  definition: ResourceDefinition<T>,
  old: T,
  change: (object: T) => void,
): string[] {
  definition.strategy.defaults?.(old);
  definition.strategy.prepareForCreate?.(old);
  const object = structuredClone(old);
  change(object);
  definition.strategy.defaults?.(object);
  definition.strategy.prepareForUpdate?.(object, old);
  return (definition.strategy.validateUpdate?.(object, old) ?? []).map(({ path, message }) => `${path}: ${message}`);
}

/** The row that `kubectl get -o wide` shows, by column. */
export function row<T extends KubernetesObject>(
  definition: ResourceDefinition<T>,
  object: T,
  nowMs: number,
): Record<string, string | number | boolean | null> {
  return Object.fromEntries(definition.columns.map((column: Column<T>) => [column.name, column.cell(object, nowMs)]));
}

/** Metadata of a stored object. */
export const meta = (name: string, more: Partial<KubernetesObject['metadata']> = {}): KubernetesObject['metadata'] => ({
  name,
  namespace: 'default',
  uid: 'uid-1',
  resourceVersion: '1',
  creationTimestamp: '2024-01-01T00:00:00Z',
  ...more,
});

export type ConnectedClient = Client & { close(): void };

/** A client of a server under test. */
export function connectForTest(kubeconfigPath: string): Promise<ConnectedClient> {
  return clientFromKubeconfig(kubeconfigPath, { clock: systemClock });
}
