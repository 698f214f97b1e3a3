import { flowschemas, prioritylevelconfigurations } from '../../shared/api/generated/resources.js';
import type {
  FlowSchema,
  FlowSchemaSpec,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from '../../shared/api/generated/types.js';
import type { Resource } from '../../shared/api/resource.js';
import type { User } from '../authentication/user.js';
import type { RequestInfo } from '../http/request-info.js';
import { MANDATORY_FLOW_SCHEMAS, MANDATORY_PRIORITY_LEVELS } from '../kinds/flow-objects.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { compileMatcher, type FlowMatcher } from './flow-matching.js';

/** A FlowSchema, ready to be asked. */
export interface Schema {
  readonly name: string;
  readonly uid: string;
  readonly level: string;
  readonly matches: FlowMatcher;
  /** What tells the flows of this schema apart. */
  readonly distinguish: (user: User, info: RequestInfo) => string;
}

export interface Level {
  readonly uid: string;
  readonly spec: PriorityLevelConfigurationSpec;
}

/** What is written at the moment: schemas in the order in which they are asked, none without its level. */
export interface FlowCatalogue {
  readonly schemas: readonly Schema[];
  readonly levels: ReadonlyMap<string, Level>;
}

/** Reads the stored objects. The mandatory ones are there even when somebody has just deleted them. */
export function readCatalogue(registry: ResourceRegistry): FlowCatalogue {
  const levels = new Map<string, Level>();
  for (const [name, spec] of Object.entries(MANDATORY_PRIORITY_LEVELS)) levels.set(name, { uid: '', spec });
  for (const { metadata, spec } of stored<PriorityLevelConfiguration>(registry, prioritylevelconfigurations))
    if (spec) levels.set(metadata.name ?? '', { uid: metadata.uid ?? '', spec });
  const specs = new Map<string, { uid: string; spec: FlowSchemaSpec }>();
  for (const [name, spec] of Object.entries(MANDATORY_FLOW_SCHEMAS)) specs.set(name, { uid: '', spec });
  for (const { metadata, spec } of stored<FlowSchema>(registry, flowschemas))
    if (spec) specs.set(metadata.name ?? '', { uid: metadata.uid ?? '', spec });
  const schemas = [...specs]
    .filter(([, { spec }]) => levels.has(spec.priorityLevelConfiguration.name))
    .sort(([a, { spec: left }], [b, { spec: right }]) => precedence(left) - precedence(right) || (a < b ? -1 : 1))
    .map(([name, { uid, spec }]) => ({
      name,
      uid,
      level: spec.priorityLevelConfiguration.name,
      matches: compileMatcher(spec),
      distinguish: distinguisher(spec),
    }));
  return { schemas, levels };
}

function stored<T>(registry: ResourceRegistry, { group, version, resource }: Resource): readonly T[] {
  const served = registry.find(group, version, resource);
  return served ? served.store.cache.snapshot().map(({ object }) => object as unknown as T) : [];
}

const precedence = ({ matchingPrecedence = 1000 }: FlowSchemaSpec): number => matchingPrecedence;

function distinguisher({ distinguisherMethod }: FlowSchemaSpec): Schema['distinguish'] {
  switch (distinguisherMethod?.type) {
    case 'ByUser':
      return (user) => user.name;
    case 'ByNamespace':
      return (_user, info) => info.namespace ?? '';
    default:
      return () => '';
  }
}
