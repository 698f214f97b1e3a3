import type { KubernetesObject } from '../../shared/api/object.js';
import type { ResourceDefinition } from './definition.js';
import { hasSpecChange, keepSystemFields } from './object-metadata.js';

/** Which part of an object a write may change. */
export interface UpdateMode {
  /** '' for the object itself, `status`, `finalize`, `binding`, `approval` ... */
  readonly subresource: string;
  readonly isPatch?: boolean;
  /** managedFields have been set by server-side apply already. */
  readonly isApply?: boolean;
  /** Nobody owns what is written: the original binds pods past its field managers. */
  readonly isUnowned?: boolean;
  /** The mutation is the server's own and known to be good (binding). */
  readonly skipsValidation?: boolean;
  /** What was asked for has been admitted already: a Binding, not the pod that it changes. */
  readonly skipsAdmission?: boolean;
}

/** Writes that change what the user wants, not what the cluster reports or decides. */
const specChanging = new Set(['', 'scale', 'resize', 'ephemeralcontainers']);

/** Subresources of pods that change one part of the spec. */
const podParts: Readonly<Record<string, (from: Spec) => Partial<Spec>>> = {
  ephemeralcontainers: ({ ephemeralContainers }) => ({ ephemeralContainers }),
  resize: ({ containers, initContainers }) => ({ containers, initContainers }),
};

type Spec = Record<string, unknown>;
type Parts = KubernetesObject & { status?: unknown } & Record<string, unknown>;

/** Undoes in `next` what this write may not change, and counts the generation. */
export function prepareUpdate(
  definition: ResourceDefinition,
  next: KubernetesObject,
  old: KubernetesObject,
  mode: UpdateMode,
  now?: string,
): void {
  const { strategy } = definition;
  keepSystemFields(next, old);
  if (mode.subresource === 'status') {
    keepAllButStatus(next as Parts, old as Parts);
    strategy.prepareForStatusUpdate?.(next, old, now);
    return;
  }
  const part = podParts[mode.subresource];
  if (part) keepAllBut(part, next as Parts, old as Parts);
  if (mode.subresource === '') {
    if (definition.subresources.includes('status')) copyField(next as Parts, old as Parts, 'status');
    strategy.prepareForUpdate?.(next, old, now);
  }
  if (!specChanging.has(mode.subresource)) return;
  if (definition.hasGeneration && hasSpecChange(next, old)) {
    next.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
}

function keepAllBut(part: (from: Spec) => Partial<Spec>, next: Parts, old: Parts): void {
  const spec: Spec = { ...(old['spec'] as Spec), ...part((next['spec'] ?? {}) as Spec) };
  for (const field of Object.keys(spec)) if (spec[field] === undefined) delete spec[field];
  next['spec'] = spec;
  copyField(next, old, 'status');
}

/** Labels and annotations may come with a status, as in the original; everything else stays as it was. */
function keepAllButStatus(next: Parts, old: Parts): void {
  for (const field of new Set([...Object.keys(next), ...Object.keys(old)])) {
    if (field !== 'status' && field !== 'metadata') copyField(next, old, field);
  }
  const { ownerReferences } = old.metadata;
  if (ownerReferences) next.metadata.ownerReferences = ownerReferences;
  else delete next.metadata.ownerReferences;
}

function copyField(to: Parts, from: Parts, field: string): void {
  if (from[field] === undefined) delete to[field];
  else to[field] = from[field];
}
