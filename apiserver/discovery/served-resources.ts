import { componentStatusDefinition } from '../kinds/componentstatus.js';
import type { ResourceDefinition } from '../registry/definition.js';
import type { ResourceFacts } from '../schema/schemas.js';
import { discoverableResources, unstoredResources, type DiscoverableResource } from './discoverable.js';

/** Path of the only resource that is read and never stored. */
export const COMPONENT_STATUSES = '/v1/componentstatuses';

/** Everything that clients may find here: what is stored, what is only created (`virtual`), what is only read. */
export function servedResources(
  definitions: readonly ResourceDefinition[],
  virtual: Iterable<string>,
  facts: Readonly<Record<string, ResourceFacts>>,
): DiscoverableResource[] {
  return [
    ...discoverableResources(definitions, facts),
    ...unstoredResources([...virtual], facts),
    ...unstoredResources([COMPONENT_STATUSES], facts, componentStatusDefinition.shortNames),
  ];
}
