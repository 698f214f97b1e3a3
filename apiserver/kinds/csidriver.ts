import { csidrivers } from '../../shared/api/generated/resources.js';
import type { CSIDriver } from '../../shared/api/generated/types.js';
import { equal } from '../validation/equality.js';
import { validateCsiDriver, validateCsiDriverUpdate } from '../validation/storage.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const csiDriverDefinition = defineKind<CSIDriver>({
  resource: csidrivers,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('AttachRequired', ({ spec }) => spec.attachRequired ?? true, {
      type: 'boolean',
      description: 'attachRequired indicates this CSI volume driver requires an attach operation.',
    }),
    column('PodInfoOnMount', ({ spec }) => spec.podInfoOnMount ?? false, {
      type: 'boolean',
      description: 'podInfoOnMount indicates this CSI volume driver requires additional pod information.',
    }),
    column('StorageCapacity', ({ spec }) => spec.storageCapacity ?? false, {
      type: 'boolean',
      description:
        'storageCapacity indicates that the CSI volume driver wants pod scheduling to consider the storage capacity.',
    }),
    column('TokenRequests', tokenText, {
      description: "tokenRequests indicates the CSI driver needs pods' service account tokens.",
    }),
    column('RequiresRepublish', ({ spec }) => spec.requiresRepublish ?? false, {
      type: 'boolean',
      description:
        'requiresRepublish indicates the CSI driver wants `NodePublishVolume` being periodically called to reflect any possible change in the mounted volume.',
    }),
    column('Modes', ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',') || '<none>', {
      description: 'volumeLifecycleModes defines what kind of volumes this CSI volume driver supports.',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (driver) => {
      const spec = (driver.spec ??= {});
      spec.attachRequired ??= true;
      spec.podInfoOnMount ??= false;
      spec.storageCapacity ??= false;
      spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
      if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
      spec.requiresRepublish ??= false;
      spec.seLinuxMount ??= false;
    },
    // The generation of a driver follows from what the kubelets act upon.
    prepareForUpdate: (driver, old) => {
      const { tokenRequests, requiresRepublish, seLinuxMount } = old.spec ?? {};
      const next = driver.spec ?? {};
      const isSame =
        equal(next.tokenRequests, tokenRequests) &&
        equal(next.requiresRepublish, requiresRepublish) &&
        equal(next.seLinuxMount, seLinuxMount);
      if (!isSame) driver.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
    validate: validateCsiDriver,
    validateUpdate: validateCsiDriverUpdate,
  },
});

function tokenText({ spec }: CSIDriver): string {
  return (spec.tokenRequests ?? []).map(({ audience }) => audience || '<default>').join(',') || '<unset>';
}
