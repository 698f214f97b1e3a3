import { customresourcedefinitions } from '../../shared/api/generated/resources.js';
import type { CustomResourceDefinition } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { isConflict, isNotFound } from '../../shared/errors/status-error.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import { systemWrite } from '../bootstrap/system-objects.js';
import type { WebhookClient } from '../admission/webhook/webhook-client.js';
import type { CacheHub } from '../cache/cache-hub.js';
import type { FanOut } from '../cache/fan-out.js';
import { CUSTOM_RESOURCE_CLEANUP } from '../kinds/customresourcedefinition.js';
import type { ResourceDefinition } from '../registry/definition.js';
import { timestamp } from '../registry/object-metadata.js';
import type { ResourceRegistry, ServedResource } from '../registry/resource-registry.js';
import type { StructType } from '../schema/schema-type.js';
import type { MeasureConversion } from './conversion-metrics.js';
import { definitionsOfKind, isServed } from './custom-kind.js';
import { isEstablished, setCondition, statusOfDefinition } from './naming.js';

export interface ExtensionOptions {
  readonly registry: ResourceRegistry;
  readonly hub: CacheHub;
  readonly fanOut: FanOut;
  readonly clock: Clock;
  readonly log: Log;
  /** Asks conversion webhooks. */
  readonly client: Pick<WebhookClient, 'post'>;
  readonly newUid: () => string;
  readonly measureConversion: MeasureConversion;
  /** Structure of ObjectMeta. */
  readonly metadata: StructType;
  /** Told after each change of what is served. */
  readonly onChange: (groupVersions: readonly { readonly group: string; readonly version: string }[]) => Promise<void>;
}

/** What is served of one definition. */
interface Served {
  readonly uid: string;
  /** As it was when this was made, or found to be the same. */
  object: CustomResourceDefinition;
  /** The spec and the names from which it was made. */
  readonly made: string;
  readonly definitions: readonly ResourceDefinition[];
  readonly stored: ResourceDefinition;
}

const retryMs = 1_000;

/**
 * Serves the custom resources that the stored definitions name, and finishes their deletion.
 *
 *     definition written -> names accepted -> status -> cache opened, resources served -> published
 *     definition deleted -> no more creates -> instances deleted -> finalizer gone -> no longer served
 *
 * One pass at a time over all definitions; a change during a pass asks for another.
 */
export class ExtensionController {
  readonly #options: ExtensionOptions;
  readonly #definitions: ServedResource | undefined;
  readonly #served = new Map<string, Served>();
  #isRunning = false;
  #isDirty = false;
  #isStopped = false;
  #forget: () => void = () => {};
  #cancelRetry: () => void = () => {};
  #pass: Promise<void> = Promise.resolve();

  constructor(options: ExtensionOptions) {
    this.#options = options;
    const { group, version, resource } = customresourcedefinitions;
    this.#definitions = options.registry.find(group, version, resource);
  }

  /** Serves what is stored; resolves when it is, then follows. */
  async start(): Promise<void> {
    const definitions = this.#definitions;
    if (!definitions) return;
    this.#forget = definitions.store.cache.onChange(() => this.#poke());
    this.#poke();
    await this.#pass;
  }

  stop(): void {
    this.#isStopped = true;
    this.#forget();
    this.#cancelRetry();
  }

  /** The served form of a group's resource is known here: nothing else may be served under the same name. */
  get count(): number {
    return this.#served.size;
  }

  #poke(): void {
    this.#isDirty = true;
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    this.#pass = this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (this.#isDirty && !this.#isStopped) {
        this.#isDirty = false;
        await this.#reconcileAll();
      }
    } catch (error) {
      if (!this.#isStopped) this.#retry(error);
    } finally {
      this.#isRunning = false;
    }
    if (this.#isDirty) this.#poke();
  }

  #retry(error: unknown): void {
    const { log, clock } = this.#options;
    if (!isConflict(error)) log.warn('custom resources are not served as defined, trying again', { error });
    this.#cancelRetry = clock.schedule(retryMs, () => this.#poke());
  }

  async #reconcileAll(): Promise<void> {
    const all = this.#all();
    let isChanged = false;
    const failures: unknown[] = [];
    for (const name of this.#served.keys()) {
      const crd = all.find(({ metadata }) => metadata.name === name);
      if (crd && crd.metadata.uid === this.#served.get(name)?.uid) continue;
      this.#withdraw(name);
      isChanged = true;
    }
    for (const { metadata } of all) {
      try {
        if (await this.#reconcile(metadata.name)) isChanged = true;
      } catch (error) {
        if (!isNotFound(error)) failures.push(error);
      }
    }
    if (isChanged) await this.#publish();
    if (failures.length > 0) throw failures[0];
  }

  #all(): CustomResourceDefinition[] {
    const found = this.#definitions?.store.cache.snapshot() ?? [];
    return found.map(({ object }) => object as unknown as CustomResourceDefinition);
  }

  #find(name: string): CustomResourceDefinition | undefined {
    return this.#definitions?.store.find(undefined, name)?.object as unknown as CustomResourceDefinition | undefined;
  }

  async #reconcile(name: string): Promise<boolean> {
    const crd = this.#find(name);
    if (!crd) return false;
    if (crd.metadata.deletionTimestamp === undefined) await this.#acceptNames(crd);
    const current = this.#find(name);
    if (!current) return false;
    const isChanged = isEstablished(current) && (await this.#serve(current));
    if (current.metadata.finalizers?.includes(CUSTOM_RESOURCE_CLEANUP)) await this.#cleanUp(current);
    return isChanged;
  }

  async #acceptNames(crd: CustomResourceDefinition): Promise<void> {
    const now = timestamp(this.#options.clock.now());
    const others = this.#all();
    if (!statusOfDefinition(crd, others, now)) return;
    await this.#updateStatus(
      crd.metadata.name,
      (current) => statusOfDefinition(current, others, now) ?? current.status,
    );
  }

  async #updateStatus(
    name: string,
    change: (current: CustomResourceDefinition) => CustomResourceDefinition['status'],
  ): Promise<void> {
    await this.#definitions?.store.modify(undefined, name, systemWrite, { subresource: 'status' }, (object) => {
      const current = object as unknown as CustomResourceDefinition;
      const status = change(current);
      if (status) current.status = status;
      return object;
    });
  }

  /** Makes the registry serve the definition as it is now. True when something changed. */
  async #serve(crd: CustomResourceDefinition): Promise<boolean> {
    const { hub, registry, fanOut, metadata, client, newUid, measureConversion: measure } = this.#options;
    const { name, uid } = crd.metadata;
    const isClosed = crd.metadata.deletionTimestamp !== undefined;
    const before = this.#served.get(name);
    // Objects of the cache are never changed, and definitions may be big.
    if (before?.object === crd) return false;
    const made = JSON.stringify([crd.spec, crd.status?.acceptedNames, crd.status?.storedVersions]);
    if (before?.made === made) {
      before.object = crd;
      return false;
    }
    if ((isClosed && before) || this.#isBuiltIn(crd)) return false;
    const definitions = definitionsOfKind(crd, {
      metadata,
      client,
      newUid,
      measure,
      isTerminating: () => this.#find(name)?.metadata.deletionTimestamp !== undefined,
    });
    const [stored] = definitions;
    if (!stored) return false;
    const oldCache = before && hub.cacheOf(before.stored);
    await hub.open(stored);
    for (const known of before?.definitions ?? []) registry.remove(known);
    const served = definitions.filter((definition) => isServed(crd, definition));
    for (const definition of served) registry.add(definition);
    // Clients watch on in the new form: what they have is from the old one.
    if (oldCache) fanOut.finish(oldCache);
    this.#served.set(name, { uid: uid ?? '', object: crd, made, definitions: served, stored });
    return true;
  }

  /** What the server has of its own stays its own, whatever a definition says. */
  #isBuiltIn({ spec }: CustomResourceDefinition): boolean {
    return this.#options.registry.definitions.some(
      ({ resource, custom }) => !custom && resource.group === spec.group && resource.resource === spec.names.plural,
    );
  }

  #withdraw(name: string): void {
    const { hub, registry, fanOut } = this.#options;
    const served = this.#served.get(name);
    if (!served) return;
    for (const definition of served.definitions) registry.remove(definition);
    fanOut.finish(hub.cacheOf(served.stored));
    hub.close(served.stored);
    this.#served.delete(name);
  }

  async #publish(): Promise<void> {
    const groupVersions = [...this.#served.values()].flatMap(({ definitions }) =>
      definitions.map(({ resource }) => ({ group: resource.group, version: resource.version })),
    );
    await this.#options.onChange(groupVersions);
  }

  /** Deletes the instances; the definition goes when the last is gone. Those with finalizers are waited for. */
  async #cleanUp(crd: CustomResourceDefinition): Promise<void> {
    const { name } = crd.metadata;
    const served = this.#served.get(name);
    const found = served && this.#options.hub.cacheOf(served.stored);
    const left = found?.snapshot() ?? [];
    const definition = served?.definitions[0];
    if (left.length > 0 && definition) {
      const { group, version, resource } = definition.resource;
      await this.#setTerminating(crd, 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
      await this.#options.registry.find(group, version, resource)?.deleter.deleteAll(left, {}, systemWrite);
    }
    if ((found?.size ?? 0) > 0) {
      this.#cancelRetry();
      this.#cancelRetry = this.#options.clock.schedule(retryMs, () => this.#poke());
      return;
    }
    await this.#setTerminating(crd, 'InstanceDeletionCompleted', 'removed all instances');
    await this.#definitions?.store.modify(
      undefined,
      name,
      systemWrite,
      { subresource: '' },
      (object: KubernetesObject) => {
        object.metadata.finalizers = (object.metadata.finalizers ?? []).filter(
          (each) => each !== CUSTOM_RESOURCE_CLEANUP,
        );
        return object;
      },
    );
  }

  async #setTerminating(
    { metadata, status }: CustomResourceDefinition,
    reason: string,
    message: string,
  ): Promise<void> {
    const isDone = reason === 'InstanceDeletionCompleted';
    const known = status?.conditions?.find(({ type }) => type === 'Terminating');
    if (known?.reason === reason) return;
    const now = timestamp(this.#options.clock.now());
    await this.#updateStatus(metadata.name, (current) => {
      const conditions = [...(current.status?.conditions ?? [])];
      setCondition(conditions, { type: 'Terminating', status: isDone ? 'False' : 'True', reason, message }, now);
      return { ...current.status, conditions };
    });
  }
}
