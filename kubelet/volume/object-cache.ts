import type { ConfigMap, Secret } from '../../shared/api/generated/types.js';
import { configmaps, secrets } from '../../shared/api/generated/resources.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Client } from '../../shared/client/client.js';
import type { Clock } from '../../shared/clock/clock.js';
import { isForbidden, isNotFound } from '../../shared/errors/status-error.js';
import type { ConfigSource } from '../container/environment.js';

interface Entry {
  readonly value: Promise<unknown>;
  readonly atMs: number;
}

/** More than a node's pods can refer to; the oldest goes first. */
const maxEntries = 2000;

/**
 * ConfigMaps and Secrets that pods of this node use, read one by one (a node may not list them) and kept for a while.
 * Requests for the same object share one call.
 */
export class ObjectCache implements ConfigSource {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #timeToLiveMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor(client: Client, clock: Clock, timeToLiveMs = 20_000) {
    this.#client = client;
    this.#clock = clock;
    this.#timeToLiveMs = timeToLiveMs;
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.#get(configmaps, namespace, name);
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.#get(secrets, namespace, name);
  }

  /** A pod that starts must see what was written before it was created, so nothing old may serve it. */
  forgetOlderThan(ageMs: number): void {
    const limit = this.#clock.monotonic() - ageMs;
    for (const [key, entry] of this.#entries) if (entry.atMs <= limit) this.#entries.delete(key);
  }

  #get<T extends { immutable?: boolean }>(
    resource: Resource<T>,
    namespace: string,
    name: string,
  ): Promise<T | undefined> {
    const key = `${resource.resource}/${namespace}/${name}`;
    const nowMs = this.#clock.monotonic();
    const known = this.#entries.get(key);
    if (known && nowMs - known.atMs < this.#timeToLiveMs) return known.value as Promise<T | undefined>;
    const value = this.#read(resource, namespace, name);
    this.#entries.delete(key);
    this.#entries.set(key, { value, atMs: nowMs });
    value.then(
      (found) => found ?? this.#entries.delete(key),
      () => this.#entries.delete(key),
    );
    if (this.#entries.size > maxEntries) this.#dropOldest();
    return value;
  }

  async #read<T>(resource: Resource<T>, namespace: string, name: string): Promise<T | undefined> {
    try {
      return await this.#client.get(resource, name, namespace);
    } catch (error) {
      // A node is forbidden to read what no pod of it refers to yet, or what is not there.
      if (isNotFound(error)) return undefined;
      if (isForbidden(error)) throw new Error(`failed to read ${resource.resource} "${name}": ${messageOf(error)}`);
      throw error;
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
