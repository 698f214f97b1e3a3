import { resourceslices } from '../../shared/api/generated/resources.js';
import type { ResourceSlice } from '../../shared/api/generated/types.js';
import { validateResourceSlice } from '../validation/resource-slice.js';
import { ageColumn, column, nameColumn } from './column.js';
import { canonical } from './container-defaults.js';
import { defineKind } from './kind.js';

export const resourceSliceDefinition = defineKind<ResourceSlice>({
  resource: resourceslices,
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('Node', ({ spec }) => spec.nodeName ?? '', {
      description: 'NodeName identifies the node which provides the resources in this pool.',
    }),
    column('Driver', ({ spec }) => spec.driver, {
      description: 'Driver identifies the DRA driver providing the capacity information.',
    }),
    column('Pool', ({ spec }) => spec.pool?.name ?? '', {
      description: 'Name is used to identify the pool.',
    }),
    ageColumn(),
  ],
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.driver': ({ spec }) => spec.driver ?? '',
  },
  strategy: {
    defaults: setDefaults,
    prepareForCreate: (slice) => stampTaints(slice, slice.metadata.creationTimestamp),
    prepareForUpdate: (slice, _old, now) => stampTaints(slice, now),
    validate: ({ spec }) => validateResourceSlice(spec),
    validateUpdate: ({ spec }, old) => validateResourceSlice(spec, old.spec),
  },
});

function setDefaults(slice: ResourceSlice): void {
  const spec = (slice.spec ??= { driver: '', pool: { name: '', generation: 0, resourceSliceCount: 0 } });
  for (const { capacity = {} } of spec.devices ?? [])
    for (const amount of Object.values(capacity))
      if (amount.value !== undefined) amount.value = canonical(amount.value);
  for (const { counters = {} } of spec.sharedCounters ?? [])
    for (const counter of Object.values(counters))
      if (counter.value !== undefined) counter.value = canonical(counter.value);
}

/** A taint that does not say since when it is there is there since now. */
function stampTaints(slice: ResourceSlice, now: string | undefined): void {
  if (now === undefined) return;
  for (const { taints = [] } of slice.spec?.devices ?? []) for (const taint of taints) taint.timeAdded ??= now;
}
