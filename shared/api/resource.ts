/** What identifies one kind of object on the wire: enough to build its URLs and to read its objects. */
export interface Resource<T = unknown> {
  /** API group; '' is the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural, as in URLs: `pods`. */
  readonly resource: string;
  readonly namespaced: boolean;
  /** Name of the schema in the OpenAPI document, e.g. `io.k8s.api.core.v1.Pod`; absent for custom resources. */
  readonly definition?: string;
  /** `v1`, `apps/v1`: as it stands in an object's apiVersion. */
  readonly apiVersion: string;
  /** `/api/v1` or `/apis/GROUP/VERSION`. */
  readonly basePath: string;
  /** Never set; carries the type of the objects. */
  readonly objectType?: T;
}

/** Completes a resource with the fields that derive from group and version. */
export function defineResource<T>(given: Omit<Resource<T>, 'apiVersion' | 'basePath' | 'objectType'>): Resource<T> {
  const apiVersion = given.group === '' ? given.version : `${given.group}/${given.version}`;
  return Object.freeze({
    ...given,
    apiVersion,
    basePath: given.group === '' ? `/api/${given.version}` : `/apis/${apiVersion}`,
  });
}

/** URL path of a collection (no name) or of an object and its subresource. Every segment is percent-encoded. */
export function resourcePath(resource: Resource, namespace?: string, name?: string, subresource?: string): string {
  const scope =
    resource.namespaced && namespace !== undefined && namespace !== ''
      ? `/namespaces/${encodeURIComponent(namespace)}`
      : '';
  const tail = name === undefined ? '' : `/${encodeURIComponent(name)}${subresource ? `/${subresource}` : ''}`;
  return `${resource.basePath}${scope}/${resource.resource}${tail}`;
}
