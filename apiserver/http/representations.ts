import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { CachedObject } from '../cache/cached-object.js';
import { storedRepresentation, type Representation } from '../cache/frames.js';
import type { ServedResource } from '../registry/resource-registry.js';
import { makeTable, partialObjectMetadata, type IncludeObject } from '../table/table.js';
import type { Negotiated } from './accept.js';

/** Turns objects into the forms that clients may ask for. */
export class Representations {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** For lists and watches, object by object. */
  encoder(served: ServedResource, form: Negotiated, includeObject: IncludeObject): Representation {
    const { store, definition } = served;
    const { apiVersion } = definition.resource;
    if (form.transform === 'none') {
      if (!definition.storedAs) return storedRepresentation;
      return { key: `view ${apiVersion}`, encode: (cached) => store.viewBytes(cached) };
    }
    return {
      key: `${form.transform} ${form.transformVersion} ${includeObject} ${apiVersion}`,
      encode: (cached) => Buffer.from(JSON.stringify(this.one(served, form, cached.object, includeObject))),
    };
  }

  /** For a watch: in a stream of tables only the first one defines the columns. */
  ofWatch(
    served: ServedResource,
    form: Negotiated,
    includeObject: IncludeObject,
  ): { representation: Representation; firstRepresentation?: Representation } {
    const whole = this.encoder(served, form, includeObject);
    if (form.transform !== 'Table') return { representation: whole };
    const apiVersion = `meta.k8s.io/${form.transformVersion}`;
    const encode = (cached: CachedObject): Buffer => {
      const { object } = cached;
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      const nowMs = this.#clock.now();
      const show = (one: KubernetesObject): KubernetesObject => served.store.toView(one);
      const options = { includeObject, apiVersion, metadata, show, nowMs, withoutColumns: true };
      return Buffer.from(JSON.stringify(makeTable(served.definition, [object], options)));
    };
    return { representation: { key: `${whole.key} rows`, encode }, firstRepresentation: whole };
  }

  one(served: ServedResource, form: Negotiated, object: KubernetesObject, includeObject: IncludeObject): object {
    if (form.transform === 'PartialObjectMetadata')
      return partialObjectMetadata(object, `meta.k8s.io/${form.transformVersion}`);
    const { resourceVersion } = object.metadata;
    return this.table(served, form, [object], includeObject, { resourceVersion });
  }

  table(
    served: ServedResource,
    form: Negotiated,
    objects: readonly KubernetesObject[],
    includeObject: IncludeObject,
    metadata: Record<string, unknown>,
  ): object {
    const apiVersion = `meta.k8s.io/${form.transformVersion}`;
    const show = (object: KubernetesObject): KubernetesObject => served.store.toView(object);
    return makeTable(served.definition, objects, {
      includeObject,
      apiVersion,
      metadata,
      show,
      nowMs: this.#clock.now(),
    });
  }
}
