import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { AdmissionChain, AdmissionRequest, GroupVersionKind } from '../admission/admission.js';
import { writeOptionsObject } from '../admission/operation-options.js';
import { CachedObject, lookInto } from '../cache/cached-object.js';
import type { CacheHub } from '../cache/cache-hub.js';
import type { WatchCache } from '../cache/watch-cache.js';
import { StorageConflictError, type Storage, type StoredValue } from '../storage/storage.js';
import type { ResourceDefinition } from './definition.js';
import { isDeletionComplete } from './deletion.js';
import { decodeObject, encodeObject, hasSameEncoding } from './encoding.js';
import type { FieldManagement } from './field-management.js';
import { KeyLock } from './key-lock.js';
import { ObjectForms } from './object-forms.js';
import {
  checkGivenName,
  dropRepeatedOwners,
  checkName,
  checkNamespace,
  fillSystemFields,
  generateName,
  timestamp,
} from './object-metadata.js';
import { checkUpdated, preconditionFailed } from './preconditions.js';
import { alreadyExists, invalid, modified, notFound } from './status-errors.js';
import { collectionPrefix, storageKey } from './storage-keys.js';
import { prepareUpdate, type UpdateMode } from './update-preparation.js';
import type { DeleteOptions, WriteOptions } from './write-options.js';
import { faultsOfNew, faultsOfUpdate } from './write-validation.js';

/** Something outside the object that a write takes and gives back when it fails: addresses and ports of Services. */
export interface WriteReservation {
  readonly rollback: () => void;
  readonly commit: () => void;
}

export interface StoreDependencies {
  readonly storage: Storage;
  readonly hub: CacheHub;
  readonly clock: Clock;
  readonly admission: AdmissionChain;
  readonly fieldManagement: FieldManagement;
  readonly newUid: () => string;
  /** 0 <= x < 1. */
  readonly random: () => number;
  /** Whether the user may give away what this write gives (roles); called before admission, throws or rejects with 403. */
  readonly checkGrant?: (request: AdmissionRequest) => Promise<void> | undefined;
  /** Called with the final object before it is checked; may fill it in. */
  readonly reserve?: (
    definition: ResourceDefinition,
    next: KubernetesObject,
    old: KubernetesObject | undefined,
  ) => WriteReservation | undefined;
}

/** What a request for admission is about, where that is not the object of the store. */
export interface AdmissionSubject {
  readonly namespace?: string | undefined;
  readonly name?: string;
  /** Kind of the object that is admitted: Eviction, Binding, PodExecOptions. */
  readonly kind?: GroupVersionKind;
  readonly deletion?: DeleteOptions;
  /** Collects what is to be done when the write is over. */
  readonly settles?: (() => void)[];
}

/** What a write answers. */
export interface WriteResult {
  /** In the stored form. */
  readonly object: KubernetesObject;
  /** JSON of the object as it is served. */
  readonly bytes: Buffer;
  readonly isCreated: boolean;
}

/** Makes the new state from a private copy of the current one; undefined current: it does not exist. */
export type Mutation = (
  current: KubernetesObject,
  shared: CachedObject,
) => KubernetesObject | Promise<KubernetesObject>;

const generateAttempts = 8;
const updateAttempts = 8;

/**
 * The objects of one resource: every rule that holds for all kinds, applied in one order.
 *
 *     decoded object -> metadata -> managedFields -> admission (mutate) -> defaults -> strategy -> validation
 *                    -> admission (validate) -> reservation -> Storage.put (encoded once) -> cache -> answer
 */
export class ResourceStore {
  readonly definition: ResourceDefinition;
  readonly prefix: string;
  readonly cache: WatchCache;
  readonly forms: ObjectForms;
  readonly dependencies: StoreDependencies;
  readonly lock = new KeyLock();
  /** The definition of the version that is stored. */
  readonly #stored: ResourceDefinition;

  constructor(definition: ResourceDefinition, dependencies: StoreDependencies) {
    this.definition = definition;
    this.dependencies = dependencies;
    this.#stored = definition.storedAs?.definition ?? definition;
    this.prefix = collectionPrefix(this.#stored.resource);
    const { hub } = dependencies;
    this.cache = hub.cacheOf(definition);
    this.forms = new ObjectForms(definition, this.cache, hub);
  }

  /** Ends what only this version has. */
  close(): void {
    this.forms.close();
  }

  key(namespace: string | undefined, name: string): string {
    return storageKey(this.#stored.resource, namespace, name);
  }

  find(namespace: string | undefined, name: string): CachedObject | undefined {
    return this.cache.get(this.key(namespace, name));
  }

  /** An object to read and to change, in the form of this version where others convert it. Throws or rejects with 404. */
  current(namespace: string | undefined, name: string): CachedObject | Promise<CachedObject> {
    return this.forms.ofStored(this.get(namespace, name));
  }

  /** The same, to be written over or deleted. */
  outgoing(namespace: string | undefined, name: string): CachedObject | Promise<CachedObject> {
    const found = this.current(namespace, name);
    return this.#staysParsed || found instanceof Promise ? found : found.aside();
  }

  /** As it is stored. Throws 404. */
  get(namespace: string | undefined, name: string): CachedObject {
    const found = this.find(namespace, name);
    if (!found) throw notFound(this.definition.resource, name);
    return found;
  }

  /** POST. `object` comes from {@link ObjectForms.toStored}, and becomes the store's own. */
  async create(
    namespace: string | undefined,
    object: KubernetesObject,
    options: WriteOptions,
    urlName?: string,
    isApply = false,
  ): Promise<WriteResult> {
    const { definition } = this;
    checkNamespace(definition, object, namespace);
    if (urlName !== undefined) checkName(object, urlName);
    if (object.metadata.resourceVersion) {
      throw new StatusError(400, 'BadRequest', 'resourceVersion should not be set on objects to be created');
    }
    const base = object.metadata.name ? undefined : object.metadata.generateName;
    if (!base) return this.#createNamed(object, options, isApply);
    const original = JSON.stringify(object);
    for (let attempt = 1; ; attempt++) {
      const candidate = attempt === 1 ? object : (JSON.parse(original) as KubernetesObject);
      candidate.metadata.name = generateName(base, this.dependencies.random);
      try {
        return await this.#createNamed(candidate, options, isApply);
      } catch (error) {
        const isTaken = error instanceof StatusError && error.reason === 'AlreadyExists';
        if (!isTaken || attempt === generateAttempts) throw error;
      }
    }
  }

  async #createNamed(object: KubernetesObject, options: WriteOptions, isApply: boolean): Promise<WriteResult> {
    const { definition, dependencies } = this;
    const { strategy, resource } = definition;
    const now = timestamp(dependencies.clock.now());
    warnOfRepeatedOwners(object, options, false);
    fillSystemFields(definition, object, dependencies.newUid(), now);
    const dropsStatus = definition.subresources.includes('status') && !definition.keepsStatusOnCreate;
    if (dropsStatus) delete (object as { status?: unknown }).status;
    if (!isApply) {
      delete object.metadata.managedFields;
      const tracked = dependencies.fieldManagement.trackUpdate(
        { definition, manager: options.fieldManager, subresource: '', time: now },
        undefined,
        object,
      );
      if (tracked) await tracked;
    }
    const settles: (() => void)[] = [];
    const request = this.admissionRequest('CREATE', object, undefined, '', options, { settles });
    const grant = dependencies.checkGrant?.(request);
    if (grant) await grant;
    const mutation = dependencies.admission.mutate(request);
    if (mutation) {
      await mutation;
      // Whoever is asked outside may have written what only the cluster says.
      if (dropsStatus) delete (object as { status?: unknown }).status;
    }
    strategy.defaults?.(object);
    strategy.prepareForCreate?.(object);
    const reservation = dependencies.reserve?.(definition, object, undefined);
    try {
      const faults = faultsOfNew(strategy, object);
      const errors = faults instanceof Promise ? await faults : faults;
      if (errors.length > 0) throw invalid(resource, object.metadata.name ?? '', errors);
      for (const warning of strategy.warnings?.(object) ?? []) options.warn(warning);
      const validation = dependencies.admission.validate(request);
      if (validation) await validation;
      const result = await this.#put(object, 0, options, true);
      reservation?.commit();
      return result;
    } catch (error) {
      reservation?.rollback();
      if (error instanceof StorageConflictError) throw alreadyExists(resource, object.metadata.name);
      throw error;
    } finally {
      for (const settle of settles) settle();
    }
  }

  /** PUT. */
  async update(
    namespace: string | undefined,
    name: string,
    object: KubernetesObject,
    options: WriteOptions,
    mode: UpdateMode = { subresource: '' },
  ): Promise<WriteResult> {
    checkNamespace(this.definition, object, namespace);
    checkGivenName(object, name);
    return this.lock.run(this.key(namespace, name), async () => {
      const isNew = !this.find(namespace, name);
      if (isNew && mode.subresource === '' && this.definition.allowCreateOnUpdate) {
        if (object.metadata.uid) {
          throw preconditionFailed(this.definition.resource, name, 'UID', object.metadata.uid, '');
        }
        if (object.metadata.resourceVersion) throw notFound(this.definition.resource, name);
        return this.create(namespace, object, options, name);
      }
      const given = JSON.stringify(object);
      return this.#retrying(namespace, name, options, mode, (_current, shared) => {
        const next = JSON.parse(given) as KubernetesObject;
        checkUpdated(this.definition, next, shared);
        // Unconditional: it takes the place of whatever there is.
        next.metadata.resourceVersion = String(shared.revision);
        return next;
      });
    });
  }

  /** The way of patches, scale, binding and whatever else derives the new state from the current one. */
  async modify(
    namespace: string | undefined,
    name: string,
    options: WriteOptions,
    mode: UpdateMode,
    mutation: Mutation,
  ): Promise<WriteResult> {
    return this.lock.run(this.key(namespace, name), () => this.#retrying(namespace, name, options, mode, mutation));
  }

  /** `about` says what differs where the request is about another object than that of the store. */
  admissionRequest(
    operation: AdmissionRequest['operation'],
    object: KubernetesObject | undefined,
    oldObject: KubernetesObject | undefined,
    subresource: string,
    options: Pick<WriteOptions, 'user' | 'isDryRun' | 'warn' | 'annotate'> & Partial<WriteOptions>,
    about: AdmissionSubject = {},
  ): AdmissionRequest {
    const metadata = (object ?? oldObject)?.metadata;
    const { settles, deletion, kind } = about;
    return {
      operation,
      definition: this.#stored,
      subresource,
      namespace: 'namespace' in about ? about.namespace : metadata?.namespace,
      name: about.name ?? metadata?.name ?? '',
      object,
      oldObject,
      kind,
      user: options.user,
      isDryRun: options.isDryRun,
      options: writeOptionsObject(operation, options, deletion),
      warn: options.warn,
      annotate: options.annotate,
      onSettled: settles && ((settle: () => void) => void settles.push(settle)),
    };
  }

  /** Other writers hold the lock of the same key in turn; a conflict here comes from outside this process, or a delete. */
  async #retrying(
    namespace: string | undefined,
    name: string,
    options: WriteOptions,
    mode: UpdateMode,
    mutation: Mutation,
  ): Promise<WriteResult> {
    for (let attempt = 1; ; attempt++) {
      const found = this.outgoing(namespace, name);
      const shared = found instanceof CachedObject ? found : await found;
      const current = decodeObject(shared.bytes);
      const next = await mutation(current, shared);
      try {
        return await this.#commitUpdate(shared, next, options, mode);
      } catch (error) {
        if (!(error instanceof StorageConflictError)) throw error;
        if (attempt === updateAttempts) throw modified(this.definition.resource, name);
        await this.dependencies.clock.sleep(attempt);
      }
    }
  }

  async #commitUpdate(
    shared: CachedObject,
    next: KubernetesObject,
    options: WriteOptions,
    mode: UpdateMode,
  ): Promise<WriteResult> {
    const { definition, dependencies } = this;
    const old = shared.object;
    const now = timestamp(dependencies.clock.now());
    warnOfRepeatedOwners(next, options, mode.isPatch === true);
    prepareUpdate(definition, next, old, mode, now);
    if (!mode.isApply && !mode.isUnowned) {
      const tracked = dependencies.fieldManagement.trackUpdate(
        { definition, manager: options.fieldManager, subresource: mode.subresource, time: now },
        old,
        next,
      );
      if (tracked) await tracked;
    }
    const settles: (() => void)[] = [];
    const request = this.admissionRequest('UPDATE', next, old, mode.subresource, options, { settles });
    const grant = dependencies.checkGrant?.(request);
    if (grant) await grant;
    const mutation = mode.skipsAdmission ? undefined : dependencies.admission.mutate(request);
    if (mutation) {
      await mutation;
      prepareUpdate(definition, next, old, mode);
    }
    definition.strategy.defaults?.(next);
    const reservation = mode.subresource === '' ? dependencies.reserve?.(definition, next, old) : undefined;
    try {
      const { strategy, resource } = definition;
      const faults = faultsOfUpdate(strategy, next, old, mode);
      const errors = faults instanceof Promise ? await faults : faults;
      if (errors.length > 0) throw invalid(resource, next.metadata.name, errors);
      if (mode.subresource === '') for (const text of strategy.warnings?.(next, old) ?? []) options.warn(text);
      const validation = mode.skipsAdmission ? undefined : dependencies.admission.validate(request);
      if (validation) await validation;
      const result = await this.#storeUpdate(shared, next, old, options);
      reservation?.commit();
      return result;
    } catch (error) {
      reservation?.rollback();
      throw error;
    } finally {
      for (const settle of settles) settle();
    }
  }

  async #storeUpdate(
    shared: CachedObject,
    next: KubernetesObject,
    old: KubernetesObject,
    options: WriteOptions,
  ): Promise<WriteResult> {
    next.metadata.resourceVersion = String(shared.revision);
    if (hasSameEncoding(next, old) && !this.#isStale(shared.key)) {
      return { object: next, bytes: this.forms.viewBytes(shared), isCreated: false };
    }
    if (isDeletionComplete(this.definition, next)) {
      if (!options.isDryRun) {
        const form = this.forms.forStorage(next);
        const last = form instanceof Promise ? await form : form;
        await this.dependencies.storage.delete(shared.key, shared.revision, (revision) => this.encode(last, revision));
      }
      return { object: next, bytes: this.forms.encodeView(next), isCreated: false };
    }
    return this.#put(next, shared.revision, options, false);
  }

  /** What would be written again although nothing changed: an old key, or an old version. */
  #isStale(key: string): boolean {
    if (this.dependencies.storage.isStale?.(key)) return true;
    return this.forms.isConverted && this.forms.isOutdated(this.cache.get(key)?.object);
  }

  async #put(
    object: KubernetesObject,
    expected: number,
    options: WriteOptions,
    isCreated: boolean,
  ): Promise<WriteResult> {
    const { metadata } = object;
    const key = this.key(metadata.namespace, metadata.name);
    if (options.isDryRun) {
      if (isCreated && this.cache.get(key)) throw alreadyExists(this.definition.resource, metadata.name);
      if (this.forms.isConverted) await this.forms.forStorage(object);
      return { object, bytes: this.forms.encodeView(object), isCreated };
    }
    const form = this.forms.forStorage(object);
    const written = form instanceof Promise ? await form : form;
    const encode = (revision: number): Buffer => this.encode(written, revision);
    const stored = await this.dependencies.storage.put(key, encode, expected);
    if (this.forms.isConverted) return { ...(await this.#readBack(stored)), isCreated };
    const bytes = this.definition.storedAs ? this.forms.encodeView(object) : stored.value;
    return { object, bytes, isCreated };
  }

  /** What others make of what was written: the state that readers of this version will see. */
  async #readBack(stored: StoredValue): Promise<{ object: KubernetesObject; bytes: Buffer }> {
    const cached = this.cache.get(stored.key);
    const isLast = cached?.revision === stored.revision;
    const object = this.dependencies.hub.encoded.find(stored.value);
    const form = await this.forms.ofStored(isLast ? cached : new CachedObject(stored, object));
    return { object: form.object, bytes: form.bytes };
  }

  /**
   * What is rarely looked into before it changes again costs more when it is kept parsed than when it is parsed once more: garbage
   * collection moves what lives twice, and marks it ever after. Conversions of custom resources are found by the object.
   */
  get #staysParsed(): boolean {
    return this.definition.custom !== undefined;
  }

  /** The stored form, with what selectors will look at. */
  encode(object: KubernetesObject, revision: number): Buffer {
    const bytes = encodeObject(object, revision);
    const { encoded } = this.dependencies.hub;
    if (this.#staysParsed) return encoded.note(bytes, object);
    return encoded.noteSelected(bytes, lookInto(object, this.#stored.selectableFields));
  }
}

function warnOfRepeatedOwners(object: KubernetesObject, { warn }: WriteOptions, isPatch: boolean): void {
  const uids = dropRepeatedOwners(object);
  if (uids.length === 0) return;
  const when = isPatch ? ' after mutating admission happens' : '';
  warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may ` +
      `reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids.join(', ')}`,
  );
}
