import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '../../shared/api/generated/types.js';

import { aggregateMessage } from '../validation/field-error.js';
import { schemaOf } from './definition-validation.js';
import { violationsOf } from './structural.js';

type Definition = CustomResourceDefinition;
type Condition = CustomResourceDefinitionCondition;

/** The status that a definition should have beside the others; undefined when it has it. */
export function statusOfDefinition(
  crd: Definition,
  others: readonly Definition[],
  now: string,
): CustomResourceDefinitionStatus | undefined {
  const before = crd.status ?? {};
  const { accepted, conflicts } = acceptNames(crd, others);
  const conditions = [...(before.conditions ?? [])];
  const set = (type: string, isTrue: boolean, reason: string, message: string): void =>
    setCondition(conditions, { type, status: isTrue ? 'True' : 'False', reason, message }, now);
  const [conflict] = conflicts;
  if (conflict) set('NamesAccepted', false, conflict.reason, conflicts.map(({ message }) => message).join(', '));
  else set('NamesAccepted', true, 'NoConflicts', 'no conflicts found');
  const wasEstablished = isTrue(before.conditions, 'Established');
  if (!conflict) set('Established', true, 'InitialNamesAccepted', 'the initial names have been accepted');
  else if (!wasEstablished) set('Established', false, 'NotAccepted', 'not all names are accepted');
  approve(crd, conditions, now);
  judgeSchemas(crd, conditions, now);
  const status = { ...before, acceptedNames: accepted, conditions };
  return JSON.stringify(status) === JSON.stringify(before) ? undefined : status;
}

export const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;

/** Whether instances of a definition are served. */
export const isEstablished = ({ status }: Definition): boolean => isTrue(status?.conditions, 'Established');

/** Sets a condition; its time moves only when the status changes. */
export function setCondition(conditions: Condition[], given: Condition, now: string): void {
  const index = conditions.findIndex(({ type }) => type === given.type);
  const known = conditions[index];
  const lastTransitionTime = known?.status === given.status ? (known.lastTransitionTime ?? now) : now;
  const next: Condition = {
    lastTransitionTime,
    message: given.message ?? '',
    reason: given.reason ?? '',
    status: given.status,
    type: given.type,
  };
  if (known) conditions[index] = next;
  else conditions.push(next);
}

/** A schema that came in the version before v1 need not be structural; the definition says so as long as it is not. */
function judgeSchemas({ spec }: Definition, conditions: Condition[], now: string): void {
  const type = 'NonStructuralSchema';
  const violations = spec.preserveUnknownFields
    ? spec.versions.flatMap((version, index) => {
        const schema = schemaOf(version);
        return schema ? violationsOf(schema, `spec.versions[${index}].schema.openAPIV3Schema`) : [];
      })
    : [];
  if (violations.length > 0) {
    const message = aggregateMessage(violations);
    setCondition(conditions, { type, status: 'True', reason: 'Violations', message }, now);
    return;
  }
  const index = conditions.findIndex((condition) => condition.type === type);
  if (index >= 0) conditions.splice(index, 1);
}

interface Conflict {
  readonly reason: string;
  readonly message: string;
}

/** Names that another definition of the group holds stay with it. A name that was accepted before is kept. */
function acceptNames(
  crd: Definition,
  others: readonly Definition[],
): { accepted: CustomResourceDefinitionNames; conflicts: Conflict[] } {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const other of others) {
    if (other.spec.group !== crd.spec.group || other.metadata.name === crd.metadata.name) continue;
    const names = other.status?.acceptedNames;
    for (const name of [names?.plural, names?.singular, ...(names?.shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [names?.kind, names?.listKind]) if (name) kinds.add(name);
  }
  const { names } = crd.spec;
  const accepted: CustomResourceDefinitionNames = { ...(crd.status?.acceptedNames ?? { kind: '', plural: '' }) };
  const conflicts: Conflict[] = [];
  const isFree = (taken: ReadonlySet<string>, name: string, reason: string): boolean => {
    if (!taken.has(name)) return true;
    conflicts.push({ reason, message: `${JSON.stringify(name)} is already in use` });
    return false;
  };
  if (isFree(resources, names.plural, 'PluralConflict')) accepted.plural = names.plural;
  const { singular = '', listKind = '' } = names;
  if (isFree(resources, singular, 'SingularConflict')) accepted.singular = singular;
  const shortNames = names.shortNames ?? [];
  if (shortNames.filter((name) => !isFree(resources, name, 'ShortNamesConflict')).length === 0) {
    if (shortNames.length > 0) accepted.shortNames = shortNames;
    else delete accepted.shortNames;
  }
  if (isFree(kinds, names.kind, 'KindConflict')) accepted.kind = names.kind;
  if (isFree(kinds, listKind, 'ListKindConflict')) accepted.listKind = listKind;
  if (names.categories && names.categories.length > 0) accepted.categories = names.categories;
  else delete accepted.categories;
  return { accepted, conflicts };
}

/** Groups of the community itself carry an approval. */
function approve({ spec, metadata }: Definition, conditions: Condition[], now: string): void {
  if (!/(^|\.)(k8s\.io|kubernetes\.io)$/.test(spec.group)) return;
  const value = metadata.annotations?.['api-approved.kubernetes.io'] ?? '';
  const isApproved = URL.canParse(value);
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const [reason, message] = isApproved
    ? ['ApprovedAnnotation', `approved in ${value}`]
    : ['UnapprovedAnnotation', `not approved: ${JSON.stringify(value)}`];
  setCondition(conditions, { type, status: isApproved ? 'True' : 'False', reason, message }, now);
}
