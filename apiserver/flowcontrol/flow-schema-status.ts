import { flowschemas, prioritylevelconfigurations } from '../../shared/api/generated/resources.js';
import type { FlowSchema } from '../../shared/api/generated/types.js';
import { setCondition, type AnyCondition } from '../../shared/api/condition.js';
import type { Clock } from '../../shared/clock/clock.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import { systemWrite } from '../bootstrap/system-objects.js';
import { timestamp } from '../registry/object-metadata.js';
import type { ResourceRegistry, ServedResource } from '../registry/resource-registry.js';

const retryMs = 5_000;

/** Writes into the status of each FlowSchema whether the priority level that it names exists. */
export class FlowSchemaStatus {
  readonly #registry: ResourceRegistry;
  readonly #clock: Clock;
  readonly #log: Log;
  #end: (() => void)[] = [];
  #cancelRetry: () => void = () => {};
  #isDue = false;
  #hasStopped = false;

  constructor(registry: ResourceRegistry, clock: Clock, log: Log) {
    this.#registry = registry;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    for (const { group, version, resource } of [flowschemas, prioritylevelconfigurations]) {
      const served = this.#registry.find(group, version, resource);
      if (served) this.#end.push(served.store.cache.onChange(() => this.#poke()));
    }
    if (this.#end.length > 0) this.#poke();
  }

  stop(): void {
    this.#hasStopped = true;
    this.#cancelRetry();
    for (const end of this.#end) end();
  }

  /** One pass for all changes of a turn, and not within the change that is being told. */
  #poke(): void {
    if (this.#isDue || this.#hasStopped) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#writeAll().catch((error: unknown) => {
        if (this.#hasStopped) return;
        this.#log.warn('the status of flow schemas could not be written', { error });
        this.#cancelRetry = this.#clock.schedule(retryMs, () => this.#poke());
      });
    });
  }

  async #writeAll(): Promise<void> {
    const { group, version, resource } = flowschemas;
    const served = this.#registry.find(group, version, resource);
    if (!served || this.#hasStopped) return;
    await Promise.all(
      served.store.cache.snapshot().map(({ object }) => this.#write(served, object as unknown as FlowSchema)),
    );
  }

  async #write({ store }: ServedResource, schema: FlowSchema): Promise<void> {
    const name = schema.metadata.name ?? '';
    if (this.#conditionsOf(schema) === schema.status?.conditions) return;
    try {
      await store.modify(undefined, name, systemWrite, { subresource: 'status' }, (current) => {
        const next = current as unknown as FlowSchema;
        next.status = { ...next.status, conditions: [...this.#conditionsOf(next)] };
        return current;
      });
    } catch (error) {
      // Somebody else's change will be told, and looked at, next.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  /** The same array when nothing has changed. */
  #conditionsOf({ spec, status }: FlowSchema): NonNullable<NonNullable<FlowSchema['status']>['conditions']> {
    const level = spec?.priorityLevelConfiguration.name ?? '';
    const { group, version, resource } = prioritylevelconfigurations;
    const isThere = this.#registry.find(group, version, resource)?.store.find(undefined, level) !== undefined;
    const text = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
    const condition = isThere
      ? { type: 'Dangling', status: 'False', reason: 'Found', message: `${text} and it exists` }
      : { type: 'Dangling', status: 'True', reason: 'NotFound', message: `${text} but there is no such object` };
    const now = timestamp(this.#clock.now());
    return setCondition((status?.conditions ?? []) as AnyCondition[], condition, now) as NonNullable<
      NonNullable<FlowSchema['status']>['conditions']
    >;
  }
}
