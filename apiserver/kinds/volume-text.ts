import type { ObjectMeta } from '../../shared/api/generated/types.js';
import { ANNOTATION_STORAGE_CLASS } from '../../shared/api/well-known.js';

const SHORT_MODES: readonly (readonly [mode: string, short: string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

/** `RWO,RWX`: once each, always in the same order. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return SHORT_MODES.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

interface Classed {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly storageClassName?: string };
}

/** The storage class of a volume or a claim; the old annotation wins. */
export function storageClassOf({ metadata, spec }: Classed): string {
  return metadata.annotations?.[ANNOTATION_STORAGE_CLASS] ?? spec.storageClassName ?? '';
}

/** What a use of the old annotation is answered with. */
export function storageClassWarnings({ annotations }: ObjectMeta): string[] {
  if (annotations?.[ANNOTATION_STORAGE_CLASS] === undefined) return [];
  return [
    `metadata.annotations[${ANNOTATION_STORAGE_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`,
  ];
}
