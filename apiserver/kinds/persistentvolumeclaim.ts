import { persistentvolumeclaims } from '../../shared/api/generated/resources.js';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../shared/api/generated/types.js';
import { isQuantity, parseQuantity } from '../../shared/api/quantity.js';
import {
  validateClaimStatus,
  validateClaimUpdate,
  validatePersistentVolumeClaim,
} from '../validation/persistent-volume-claim.js';
import { ageColumn, column, nameColumn, wideColumn } from './column.js';
import { canonicalizeQuantities } from './container-defaults.js';
import { defineKind } from './kind.js';
import { setClaimSpecDefaults } from './volume-defaults.js';
import { accessModesText, storageClassOf, storageClassWarnings } from './volume-text.js';

export const persistentVolumeClaimDefinition = defineKind<PersistentVolumeClaim>({
  resource: persistentvolumeclaims,
  shortNames: ['pvc'],
  subresources: ['status'],
  columns: [
    nameColumn(),
    column('Status', ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')), {
      description: 'phase represents the current phase of PersistentVolumeClaim.',
    }),
    column('Volume', ({ spec }) => spec.volumeName ?? '', {
      description: 'volumeName is the binding reference to the PersistentVolume backing this claim.',
    }),
    column('Capacity', ({ spec, status }) => (spec.volumeName ? (status?.capacity?.['storage'] ?? '0') : ''), {
      description: 'capacity represents the actual resources of the underlying volume.',
    }),
    column('Access Modes', ({ spec, status }) => (spec.volumeName ? accessModesText(status?.accessModes) : ''), {
      description: 'accessModes contains the actual access modes the volume backing the PVC has.',
    }),
    column('StorageClass', storageClassOf, { description: 'StorageClass of the pvc' }),
    column('VolumeAttributesClass', ({ spec }) => spec.volumeAttributesClassName ?? '<unset>', {
      description: 'VolumeAttributesClass of the pvc',
    }),
    ageColumn(),
    wideColumn('VolumeMode', ({ spec }) => spec.volumeMode ?? '<unset>', {
      description: 'volumeMode defines what type of volume is required by the claim.',
    }),
  ],
  strategy: {
    defaults: (claim) => {
      const { status } = claim;
      setClaimSpecDefaults((claim.spec ??= {}));
      canonicalizeQuantities(status?.capacity);
      canonicalizeQuantities(status?.allocatedResources);
      if (status) status.phase ||= 'Pending';
    },
    prepareForCreate: (claim) => {
      claim.status = { phase: 'Pending' };
      settleDataSource(claim.spec);
    },
    validate: validatePersistentVolumeClaim,
    prepareForUpdate: ({ spec }, old) => settleDataSource(spec, old.spec),
    validateUpdate: validateClaimUpdate,
    validateStatusUpdate: validateClaimStatus,
    warnings: ({ metadata, spec }) => [...storageClassWarnings(metadata), ...fractionWarnings(spec)],
  },
});

/**
 * The old field dataSource only names claims and snapshots; dataSourceRef names anything. A claim with one of them gets
 * the other, so that old and new controllers see the same.
 */
function settleDataSource(spec: PersistentVolumeClaimSpec, old?: PersistentVolumeClaimSpec): void {
  const { dataSource: given, dataSourceRef } = spec;
  const isKnown =
    (given?.kind === 'PersistentVolumeClaim' && !given.apiGroup) ||
    (given?.kind === 'VolumeSnapshot' && given.apiGroup === 'snapshot.storage.k8s.io');
  if (given && !old?.dataSource && !old?.dataSourceRef && !dataSourceRef && !isKnown) delete spec.dataSource;
  if (spec.dataSource && !dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  else if (dataSourceRef && !spec.dataSource && !dataSourceRef.namespace) {
    const { apiGroup, kind, name } = dataSourceRef;
    spec.dataSource = { ...(apiGroup === undefined ? {} : { apiGroup }), kind, name };
  }
}

function fractionWarnings({ resources }: PersistentVolumeClaimSpec): string[] {
  return (['requests', 'limits'] as const).flatMap((list) => {
    const amount = resources?.[list]?.['storage'];
    if (amount === undefined || !isQuantity(amount) || parseQuantity(amount).nanos % 1_000_000_000n === 0n) return [];
    return [`spec.resources.${list}[storage]: fractional byte value "${amount}" is invalid, must be an integer`];
  });
}
