import { validatingadmissionpolicies } from '../../shared/api/generated/resources.js';
import type { ValidatingAdmissionPolicy } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import type { Log } from '../../shared/log/log.js';
import { typeWarnings } from '../admission/policy/policy-type-check.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import type { StructType } from '../schema/schema-type.js';
import { systemWrite } from './system-objects.js';

type Policy = ValidatingAdmissionPolicy & KubernetesObject;

export interface PolicyStatusOptions {
  readonly registry: ResourceRegistry;
  readonly structure: (definition: string) => StructType;
  readonly clock: Clock;
  readonly log: Log;
}

const retryMs = 5_000;

/** Writes into the status of each ValidatingAdmissionPolicy whether its expressions fit the types that they are about. */
export class PolicyStatus {
  readonly #options: PolicyStatusOptions;
  readonly #due = new Set<string>();
  #working = false;
  #end: () => void = () => {};
  #cancelRetry: () => void = () => {};

  constructor(options: PolicyStatusOptions) {
    this.#options = options;
  }

  start(): void {
    const { group, version, resource } = validatingadmissionpolicies;
    const store = this.#options.registry.find(group, version, resource)?.store;
    if (!store) return;
    this.#end = store.cache.onChange(({ type, current }) => {
      if (type !== 'DELETED') this.#note(current.object as unknown as Policy);
    });
    for (const { object } of store.cache.snapshot()) this.#note(object as unknown as Policy);
  }

  stop(): void {
    this.#end();
    this.#cancelRetry();
    this.#due.clear();
  }

  #note({ metadata, status }: Policy): void {
    if (status?.observedGeneration === metadata.generation) return;
    this.#due.add(metadata.name);
    if (this.#working) return;
    this.#working = true;
    // Not within the change that is being told.
    setImmediate(() => void this.#work());
  }

  async #work(): Promise<void> {
    for (const name of this.#due) {
      this.#due.delete(name);
      try {
        await this.#write(name);
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) continue;
        this.#options.log.warn('the status of a policy could not be written', { policy: name, error });
        this.#cancelRetry = this.#options.clock.schedule(retryMs, () => {
          const found = this.#options.registry.of(validatingadmissionpolicies).store.find(undefined, name);
          if (found) this.#note(found.object as unknown as Policy);
        });
      }
    }
    this.#working = false;
  }

  async #write(name: string): Promise<void> {
    const { registry, structure } = this.#options;
    const { store } = registry.of(validatingadmissionpolicies);
    await store.modify(undefined, name, systemWrite, { subresource: 'status' }, (current) => {
      const policy = current as unknown as Policy;
      const expressionWarnings = typeWarnings(policy, registry.definitions, structure);
      policy.status = {
        ...policy.status,
        ...(policy.metadata.generation === undefined ? {} : { observedGeneration: policy.metadata.generation }),
        typeChecking: expressionWarnings.length > 0 ? { expressionWarnings } : {},
      };
      return current;
    });
  }
}
