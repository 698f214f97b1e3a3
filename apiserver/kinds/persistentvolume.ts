import { persistentvolumes } from '../../shared/api/generated/resources.js';
import type { PersistentVolume } from '../../shared/api/generated/types.js';
import { validatePersistentVolume, validatePersistentVolumeUpdate } from '../validation/persistent-volume.js';
import { ageColumn, column, nameColumn, wideColumn } from './column.js';
import { canonicalizeQuantities } from './container-defaults.js';
import { defineKind } from './kind.js';
import { deprecatedLabelWarnings } from './pod-warnings.js';
import { setSourceDefaults } from './volume-defaults.js';
import { accessModesText, storageClassOf, storageClassWarnings } from './volume-text.js';

export const persistentVolumeDefinition = defineKind<PersistentVolume>({
  resource: persistentvolumes,
  shortNames: ['pv'],
  subresources: ['status'],
  columns: [
    nameColumn(),
    column('Capacity', ({ spec }) => spec.capacity?.['storage'] ?? '0', {
      description: "capacity is the description of the persistent volume's resources and capacity.",
    }),
    column('Access Modes', ({ spec }) => accessModesText(spec.accessModes), {
      description: 'accessModes contains all ways the volume can be mounted.',
    }),
    column('Reclaim Policy', ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '', {
      description:
        'persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim.',
    }),
    column('Status', ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')), {
      description: 'phase indicates if a volume is available, bound to a claim, or released by a claim.',
    }),
    column('Claim', claimText, {
      description:
        'claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. Expected to be non-nil when bound.',
    }),
    column('StorageClass', storageClassOf, { description: 'StorageClass of the pv' }),
    column('VolumeAttributesClass', ({ spec }) => spec.volumeAttributesClassName ?? '<unset>', {
      description: 'VolumeAttributesClass of the pv',
    }),
    column('Reason', ({ status }) => status?.reason ?? '', {
      description: 'reason is a brief CamelCase string that describes any failure.',
    }),
    ageColumn(),
    wideColumn('VolumeMode', ({ spec }) => spec.volumeMode ?? '<unset>', {
      description: 'volumeMode defines if a volume is intended to be used with a formatted filesystem or as raw block.',
    }),
  ],
  strategy: {
    defaults: setDefaults,
    prepareForCreate: (volume) => {
      const { creationTimestamp } = volume.metadata;
      volume.status = {
        phase: 'Pending',
        ...(creationTimestamp ? { lastPhaseTransitionTime: creationTimestamp } : {}),
      };
    },
    validate: validatePersistentVolume,
    validateUpdate: validatePersistentVolumeUpdate,
    prepareForStatusUpdate: setTransitionTime,
    warnings,
  },
});

function setDefaults(volume: PersistentVolume): void {
  const spec = (volume.spec ??= {});
  spec.persistentVolumeReclaimPolicy ||= 'Retain';
  spec.volumeMode ??= 'Filesystem';
  canonicalizeQuantities(spec.capacity);
  setSourceDefaults(spec);
  if (volume.status) volume.status.phase ||= 'Pending';
}

/** The time of a phase is the server's, unless the client states another than before. */
function setTransitionTime({ status }: PersistentVolume, old: PersistentVolume, now?: string): void {
  if (!status || status.phase === old.status?.phase || now === undefined) return;
  const given = status.lastPhaseTransitionTime;
  if (given === undefined || given === old.status?.lastPhaseTransitionTime) status.lastPhaseTransitionTime = now;
}

function claimText({ spec: { claimRef } }: PersistentVolume): string {
  return claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : '';
}

/** Sources that no longer work. */
const DEPRECATED = {
  cephfs: 'spec.cephfs: deprecated in v1.28, non-functional in v1.31+',
  photonPersistentDisk: 'spec.photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'spec.scaleIO: deprecated in v1.16, non-functional in v1.22+',
  storageos: 'spec.storageOS: deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'spec.glusterfs: deprecated in v1.25, non-functional in v1.26+',
  rbd: 'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
} as const;

function warnings({ metadata, spec }: PersistentVolume): string[] {
  const texts = storageClassWarnings(metadata);
  if (spec.persistentVolumeReclaimPolicy === 'Recycle')
    texts.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  for (const [index, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries())
    for (const [at, { key }] of (term.matchExpressions ?? []).entries())
      for (const text of deprecatedLabelWarnings(
        key,
        `spec.nodeAffinity.required.nodeSelectorTerms[${index}].matchExpressions[${at}].key`,
      ))
        texts.push(text);
  for (const [source, text] of Object.entries(DEPRECATED))
    if (spec[source as keyof typeof DEPRECATED]) texts.push(text);
  return texts;
}
