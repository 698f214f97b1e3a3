import { limitranges } from '../../shared/api/generated/resources.js';
import type { LimitRange, LimitRangeItem } from '../../shared/api/generated/types.js';
import { validateLimitRange } from '../validation/limit-range.js';
import { column, nameColumn } from './column.js';
import { canonicalizeQuantities } from './container-defaults.js';
import { defineKind } from './kind.js';

export const limitRangeDefinition = defineKind<LimitRange>({
  resource: limitranges,
  shortNames: ['limits'],
  allowCreateOnUpdate: true,
  columns: [
    nameColumn(),
    column('Created At', ({ metadata }) => metadata.creationTimestamp ?? '', {
      type: 'date',
      description:
        'CreationTimestamp is a timestamp representing the server time when this object was created. It is represented in RFC3339 form and is in UTC.',
    }),
  ],
  strategy: {
    defaults: ({ spec }) => {
      for (const limit of spec?.limits ?? []) setLimitDefaults(limit);
    },
    // Alone among the kinds it needs no name; like the original's its own is then as good as random.
    prepareForCreate: ({ metadata }) => {
      metadata.name ||= metadata.uid ?? '';
    },
    validate: validateLimitRange,
  },
});

function setLimitDefaults(limit: LimitRangeItem): void {
  for (const part of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const)
    canonicalizeQuantities(limit[part]);
  if (limit.type !== 'Container') return;
  // A limit that is not stated is the largest one; a request that is not stated is the limit, else the smallest.
  fill(limit, 'default', limit.max);
  fill(limit, 'defaultRequest', limit.default);
  fill(limit, 'defaultRequest', limit.min);
}

function fill(
  limit: LimitRangeItem,
  part: 'default' | 'defaultRequest',
  from: Readonly<Record<string, string>> | undefined,
): void {
  if (!from || Object.keys(from).length === 0) return;
  limit[part] = { ...from, ...limit[part] };
}
