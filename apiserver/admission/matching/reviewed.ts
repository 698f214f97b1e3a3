import type { KubernetesObject } from '../../../shared/api/object.js';
import type { Resource } from '../../../shared/api/resource.js';
import type { ResourceDefinition } from '../../registry/definition.js';
import { inVersion } from '../../registry/versions.js';
import { scaleOf } from '../../subresources/scale.js';
import type { AdmissionRequest, GroupVersionKind } from '../admission.js';

/** A request in the version that a rule knows: what webhooks and policies are shown. */
export interface Reviewed {
  readonly resource: Pick<Resource, 'group' | 'version' | 'resource'>;
  readonly kind: GroupVersionKind;
  readonly object: KubernetesObject | undefined;
  readonly oldObject: KubernetesObject | undefined;
  /** The definition of that version. */
  readonly definition: ResourceDefinition;
  /** Where somebody outside converts between the versions: the request that is reviewed in place of the real one. */
  readonly shown?: Shown;
}

/** A request in a version that others convert. */
export interface Shown {
  readonly request: AdmissionRequest;
  /** Gives the real request what was changed in this one. */
  takeBack(): Promise<void>;
}

const kindOf = ({ group, version, kind }: Resource): GroupVersionKind => ({ group, version, kind });
const scaleKind: GroupVersionKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/** Whether it takes a call to see the objects of a request in another version. */
export const needsConversion = ({ definition, kind, subresource }: AdmissionRequest): boolean =>
  definition.custom?.conversion !== undefined && kind === undefined && subresource !== 'scale';

/** The request in the version `as`, where others convert; itself where they need not. */
export async function shownIn(request: AdmissionRequest, as: ResourceDefinition): Promise<Shown> {
  const to = as.custom?.conversion;
  const from = request.definition.custom?.conversion;
  if (as === request.definition || !to || !from || !needsConversion(request)) {
    return { request, takeBack: () => Promise.resolve() };
  }
  const given = request.object;
  const object = given && (await to.toOwn(given));
  const oldObject = request.oldObject && (await to.toOwn(request.oldObject));
  const before = JSON.stringify(object);
  return {
    request: { ...request, definition: as, object, oldObject },
    takeBack: async () => {
      if (given && object && JSON.stringify(object) !== before) replace(given, await from.toOwn(object));
    },
  };
}

/** The request as it stands, in another version of its resource where `as` is one. */
export function review(request: AdmissionRequest, as: ResourceDefinition = request.definition): Reviewed {
  const { resource } = as;
  const { object, oldObject } = request;
  if (request.subresource === 'scale' && request.definition.scale && !request.kind) {
    const mapping = request.definition.scale;
    return {
      resource,
      kind: scaleKind,
      object: object && scaleOf(mapping, object),
      oldObject: oldObject && scaleOf(mapping, oldObject),
      definition: as,
    };
  }
  const isOwnKind = request.kind === undefined;
  const convert = (given: KubernetesObject | undefined): KubernetesObject | undefined =>
    given && isOwnKind ? inVersion(given, request.definition, as) : given;
  return {
    resource,
    kind: request.kind ?? kindOf(resource),
    object: convert(object),
    oldObject: convert(oldObject),
    definition: as,
  };
}

/** Makes the changed form of what {@link review} showed the object of the request, in place. */
export function takeOver(request: AdmissionRequest, reviewed: Reviewed, changed: KubernetesObject): void {
  const { object, definition } = request;
  if (!object) return;
  if (reviewed.kind === scaleKind && definition.scale) {
    const replicas = (changed as { spec?: { replicas?: number } }).spec?.replicas;
    if (replicas !== undefined) definition.scale.setSpecReplicas(object, replicas);
    return;
  }
  const next = request.kind ? changed : inVersion(changed, reviewed.definition, definition);
  replace(object, next);
}

function replace(object: KubernetesObject, next: KubernetesObject): void {
  keepIdentity(next, object);
  for (const field of Object.keys(object)) delete (object as unknown as Record<string, unknown>)[field];
  Object.assign(object, next);
}

const identity = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
] as const;

/** Nobody changes on the way which object it is, and what the server says about it. */
function keepIdentity(next: KubernetesObject, before: KubernetesObject): void {
  next.apiVersion = before.apiVersion;
  next.kind = before.kind;
  const metadata = (next.metadata ?? {}) as unknown as Record<string, unknown>;
  const known = before.metadata as unknown as Record<string, unknown>;
  for (const field of identity) {
    if (known[field] === undefined) delete metadata[field];
    else metadata[field] = known[field];
  }
  next.metadata = metadata as unknown as KubernetesObject['metadata'];
}
