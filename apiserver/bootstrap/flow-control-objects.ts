import { flowschemas, prioritylevelconfigurations } from '../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Clock } from '../../shared/clock/clock.js';
import { isAlreadyExists, isNotFound } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import {
  ANNOTATION_AUTO_UPDATE,
  MANDATORY_FLOW_SCHEMAS,
  MANDATORY_PRIORITY_LEVELS,
  SUGGESTED_FLOW_SCHEMAS,
  SUGGESTED_PRIORITY_LEVELS,
} from '../kinds/flow-objects.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { equal } from '../validation/equality.js';
import { systemWrite } from './system-objects.js';

const intervalMs = 60_000;

type Specs = Readonly<Record<string, object>>;
type WithSpec = KubernetesObject & { spec: object };

/**
 * Keeps the FlowSchemas and PriorityLevelConfigurations that every cluster has. The mandatory ones are always there; the
 * suggested ones are made at the start, and follow this server's values until their annotation says `false`.
 */
export class FlowControlObjects {
  readonly #registry: ResourceRegistry;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancel: () => void = () => {};
  #hasStopped = false;

  constructor(registry: ResourceRegistry, clock: Clock, log: Log) {
    this.#registry = registry;
    this.#clock = clock;
    this.#log = log;
  }

  async start(): Promise<void> {
    await Promise.all([
      this.#keepMandatory(),
      this.#keepAll(prioritylevelconfigurations, SUGGESTED_PRIORITY_LEVELS, false),
      this.#keepAll(flowschemas, SUGGESTED_FLOW_SCHEMAS, false),
    ]);
    this.#schedule();
  }

  stop(): void {
    this.#hasStopped = true;
    this.#cancel();
  }

  #schedule(): void {
    if (this.#hasStopped) return;
    this.#cancel = this.#clock.schedule(intervalMs, () => {
      this.#keepMandatory()
        .catch((error: unknown) => this.#log.warn('the mandatory flow schemas could not be kept', { error }))
        .finally(() => this.#schedule());
    });
  }

  async #keepMandatory(): Promise<void> {
    await Promise.all([
      this.#keepAll(prioritylevelconfigurations, MANDATORY_PRIORITY_LEVELS, true),
      this.#keepAll(flowschemas, MANDATORY_FLOW_SCHEMAS, true),
    ]);
  }

  async #keepAll(resource: Resource, specs: Specs, isMandatory: boolean): Promise<void> {
    await Promise.all(Object.entries(specs).map(([name, spec]) => this.#keep(resource, name, spec, isMandatory)));
  }

  async #keep(resource: Resource, name: string, spec: object, isMandatory: boolean): Promise<void> {
    const served = this.#registry.find(resource.group, resource.version, resource.resource);
    if (!served) return;
    const { store } = served;
    const found = store.find(undefined, name);
    try {
      if (!found) {
        const { apiVersion, kind } = resource;
        const metadata = { name, annotations: { [ANNOTATION_AUTO_UPDATE]: 'true' } };
        const object = { apiVersion, kind, metadata, spec: structuredClone(spec) };
        await store.create(undefined, object as unknown as KubernetesObject, systemWrite);
        return;
      }
      const current = found.object as WithSpec;
      const isOurs = isMandatory || current.metadata.annotations?.[ANNOTATION_AUTO_UPDATE] === 'true';
      if (!isOurs || equal(current.spec, wanted(current.spec, spec, name, isMandatory))) return;
      await store.modify(undefined, name, systemWrite, { subresource: '' }, (object) => {
        const next = object as WithSpec;
        next.spec = wanted(next.spec, spec, name, isMandatory);
        return next;
      });
    } catch (error) {
      // Another server of the same cluster was faster, or somebody deletes what the next round brings back.
      if (!isAlreadyExists(error) && !isNotFound(error)) throw error;
    }
  }
}

/** How much the exempt level lends is for the operators to say; the rest of it is fixed. */
function wanted(current: object, spec: object, name: string, isMandatory: boolean): object {
  const exempt = (current as { exempt?: object }).exempt;
  return structuredClone(isMandatory && name === 'exempt' && exempt ? { ...spec, exempt } : spec);
}
