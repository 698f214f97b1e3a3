import type { GroupVersionKind } from '../admission/admission.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { ServedResource } from '../registry/resource-registry.js';
import type { WriteOptions } from '../registry/write-options.js';

interface Subject {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly kind: GroupVersionKind;
}

/** Admits the creation of what a subresource takes: an Eviction, a Binding, a TokenRequest. */
export async function admitCreate(
  { store }: ServedResource,
  subresource: string,
  object: KubernetesObject,
  options: WriteOptions,
  subject: Subject,
): Promise<void> {
  const { admission } = store.dependencies;
  const request = store.admissionRequest('CREATE', object, undefined, subresource, options, subject);
  const mutation = admission.mutate(request);
  if (mutation) await mutation;
  const validation = admission.validate(request);
  if (validation) await validation;
}
