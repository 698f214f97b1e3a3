import { olderResources } from '../../../shared/api/generated/resources.js';
import type { Event, EventsV1Event } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { Resource } from '../../../shared/api/resource.js';
import type { ResourceDefinition } from '../../registry/definition.js';
import { eventDefinition, eventsV1EventDefinition, fromCoreEvent, toCoreEvent } from '../event.js';

const apiVersion = 'events.k8s.io/v1beta1';
const resource: Resource = olderResources[`${apiVersion} Event`];

/** The form of events.k8s.io/v1 with the rules of core events. */
export const olderEventVersions: readonly ResourceDefinition[] = [
  Object.freeze({
    ...(eventsV1EventDefinition as unknown as ResourceDefinition),
    resource,
    shortNames: [],
    strategy: (eventDefinition as unknown as ResourceDefinition).strategy,
    storedAs: {
      definition: eventDefinition as unknown as ResourceDefinition,
      fromStored: (stored: KubernetesObject) => fromCoreEvent(stored as KubernetesObject & Event, apiVersion),
      toStored: (event: KubernetesObject) => toCoreEvent(event as KubernetesObject & EventsV1Event),
    },
    deprecation: `${apiVersion} Event is deprecated in v1.22+, unavailable in v1.25+`,
  } as ResourceDefinition),
];
