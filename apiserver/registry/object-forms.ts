import type { KubernetesObject } from '../../shared/api/object.js';
import type { CachedObject } from '../cache/cached-object.js';
import type { CacheHub } from '../cache/cache-hub.js';
import { ConvertedCache } from '../cache/converted-cache.js';
import type { WatchCache } from '../cache/watch-cache.js';
import type { FormConversion, ResourceDefinition } from './definition.js';
import { decodeObject, encodeTyped } from './encoding.js';

/**
 * The forms of one version's objects: how they are stored, and how this version shows them. They differ in older versions of
 * built-in kinds, which are views of the stored one, and in versions of custom resources, between which a webhook converts.
 */
export class ObjectForms {
  readonly definition: ResourceDefinition;
  readonly #stored: WatchCache;
  readonly #views = new WeakMap<CachedObject, Buffer>();
  readonly #conversion: FormConversion | undefined;
  readonly #converted: ConvertedCache | undefined;

  /** `stored` has the objects as they are stored. */
  constructor(definition: ResourceDefinition, stored: WatchCache, hub: CacheHub) {
    this.definition = definition;
    this.#stored = stored;
    const conversion = definition.custom?.conversion;
    this.#conversion = conversion;
    this.#converted = conversion && new ConvertedCache({ source: stored, forms: conversion, hub });
  }

  close(): void {
    this.#converted?.close();
  }

  /** Whether others convert between this version and the stored one. */
  get isConverted(): boolean {
    return this.#conversion !== undefined;
  }

  /** The objects to list and to watch: the stored ones, but for versions that others convert. */
  cache(): WatchCache | Promise<WatchCache> {
    return this.#converted ? this.#converted.current() : this.#stored;
  }

  /** What readers and changes of this version work on: the stored object, but where others convert it. */
  ofStored(stored: CachedObject): CachedObject | Promise<CachedObject> {
    return this.#conversion ? this.#convert(stored, this.#conversion) : stored;
  }

  async #convert(stored: CachedObject, conversion: FormConversion): Promise<CachedObject> {
    const [form] = await conversion.fromStored([stored]);
    return form ?? stored;
  }

  /** What is written for an object that comes from {@link ofStored}. */
  forStorage(object: KubernetesObject): KubernetesObject | Promise<KubernetesObject> {
    return this.#conversion ? this.#conversion.toStored(object) : object;
  }

  /** Whether others would store an object of this version differently now. */
  isOutdated(stored: KubernetesObject | undefined): boolean {
    return this.#conversion !== undefined && stored?.apiVersion !== this.#conversion.stored.apiVersion;
  }

  /** The stored form of what a request carries, defaults filled in; `object` becomes the store's own. */
  toStored(object: KubernetesObject): KubernetesObject {
    const stored = this.definition.storedAs?.toStored(object) ?? object;
    this.definition.strategy.defaults?.(stored);
    return stored;
  }

  /** An object as this version shows it: itself where this version is the stored one. */
  toView(stored: KubernetesObject): KubernetesObject {
    const { storedAs } = this.definition;
    return storedAs ? storedAs.fromStored(structuredClone(stored)) : stored;
  }

  /** The bytes that this version answers with; made once for each state of an object. */
  viewBytes(cached: CachedObject): Buffer {
    const { storedAs } = this.definition;
    if (!storedAs) return cached.bytes;
    const known = this.#views.get(cached);
    if (known) return known;
    const bytes = encodeTyped(storedAs.fromStored(decodeObject(cached.bytes)));
    this.#views.set(cached, bytes);
    return bytes;
  }

  /** The bytes of an object that has no place in a cache. */
  encodeView(stored: KubernetesObject): Buffer {
    return encodeTyped(this.toView(stored));
  }
}
