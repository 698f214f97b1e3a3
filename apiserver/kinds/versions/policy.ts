import type { ResourceDefinition } from '../../registry/definition.js';
import { podDisruptionBudgetDefinition } from '../poddisruptionbudget.js';
import { member, members, olderVersion, type Json, type VersionChange } from './served-version.js';

/** No pod has this label: it stands for what the other version means by an empty selector. */
const NO_LABEL = 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match';

const isEmpty = (selector: Json): boolean =>
  Object.keys(member(selector, 'matchLabels') ?? {}).length === 0 && members(selector, 'matchExpressions').length === 0;

const only = (operator: 'Exists' | 'DoesNotExist'): Json => ({ matchExpressions: [{ key: NO_LABEL, operator }] });

function isOnly(selector: Json, operator: string): boolean {
  const [requirement, ...more] = members(selector, 'matchExpressions');
  return (
    more.length === 0 &&
    Object.keys(member(selector, 'matchLabels') ?? {}).length === 0 &&
    requirement?.['key'] === NO_LABEL &&
    requirement['operator'] === operator
  );
}

/** An empty selector finds every pod since v1; before, it found none. */
const emptySelector: VersionChange = {
  toStored: (object) => {
    const spec = member(object, 'spec');
    const selector = member(spec, 'selector');
    if (!spec || !selector) return;
    if (isEmpty(selector)) spec['selector'] = only('Exists');
    else if (isOnly(selector, 'DoesNotExist')) spec['selector'] = {};
  },
  fromStored: (object) => {
    const spec = member(object, 'spec');
    const selector = member(spec, 'selector');
    if (!spec || !selector) return;
    if (isEmpty(selector)) spec['selector'] = only('DoesNotExist');
    else if (isOnly(selector, 'Exists')) spec['selector'] = {};
  },
};

export const olderPolicyVersions: readonly ResourceDefinition[] = [
  olderVersion(
    podDisruptionBudgetDefinition as unknown as ResourceDefinition,
    'policy/v1beta1',
    { deprecated: '1.21', removed: '1.25' },
    emptySelector,
  ),
];
