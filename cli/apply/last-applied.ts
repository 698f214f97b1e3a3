import { ANNOTATION_LAST_APPLIED } from '../../shared/api/well-known.js';
import { goJson } from '../printer/json.js';
import type { AnyObject } from '../server-api.js';

/** The manifest with itself in the annotation from which the next apply learns what was removed; byte for byte as kubectl writes it. */
export function withLastApplied(manifest: AnyObject): AnyObject {
  const { [ANNOTATION_LAST_APPLIED]: _, ...annotations } = manifest.metadata.annotations ?? {};
  const plain = { ...manifest, metadata: { ...manifest.metadata, annotations } };
  const text = `${goJson(plain)}\n`;
  return {
    ...plain,
    metadata: { ...plain.metadata, annotations: { ...annotations, [ANNOTATION_LAST_APPLIED]: text } },
  };
}

/** What `set-last-applied` and `edit-last-applied` note: the manifest as it is, where apply adds empty annotations. */
export const appliedNote = (manifest: AnyObject): string => `${goJson(manifest)}\n`;

/** The manifest of the last apply, as the object remembers it. */
export function lastApplied(object: AnyObject): unknown {
  const text = object.metadata.annotations?.[ANNOTATION_LAST_APPLIED];
  if (text === undefined || text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // somebody edited it by hand: as if it was never applied
  }
}
