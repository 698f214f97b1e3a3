import type {
  PodTemplateSpec,
  StatefulSet,
  StatefulSetPersistentVolumeClaimRetentionPolicy,
  StatefulSetSpec,
} from '../../shared/api/generated/types.js';
import { validateCollisionCount } from './daemonset.js';
import { equal } from './equality.js';
import {
  append,
  forbidden,
  invalid,
  invalidEach,
  notNegative,
  notSupported,
  required,
  type FieldError,
} from './field-error.js';
import { validateLabelSelector } from './label-selector.js';
import { isDns1123Label } from './names.js';
import { validateClaimSpec } from './persistent-volume-claim.js';
import { validatePodTemplate } from './pod-spec.js';
import { isSelecting, isZero, validateIntOrPercent, validateNotMoreThanAll } from './workload.js';

export function validateStatefulSet(statefulSet: StatefulSet): FieldError[] {
  return [...validateSpec(statefulSet), ...validateClaimTemplates(statefulSet)];
}

/** They do not change, so that what was let through once is not looked at again. */
function validateClaimTemplates({ spec }: StatefulSet): FieldError[] {
  return (spec?.volumeClaimTemplates ?? []).flatMap((claim, i) =>
    validateClaimSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${i}].spec`),
  );
}

function validateSpec({ spec }: StatefulSet): FieldError[] {
  if (!spec) return [required('spec')];
  const errors = [
    ...validateManagementPolicy(spec),
    ...validateUpdateStrategy(spec),
    ...validateRetentionPolicy(spec.persistentVolumeClaimRetentionPolicy, 'spec.persistentVolumeClaimRetentionPolicy'),
    ...notNegative('spec.replicas', spec.replicas),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...notNegative('spec.ordinals.start', spec.ordinals?.start),
    ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ];
  const { selector, serviceName } = spec;
  if (!selector) errors.push(required('spec.selector'));
  else {
    append(errors, validateLabelSelector(selector, 'spec.selector'));
    if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0)
      errors.push(invalid('spec.selector', selector, 'empty selector is invalid for statefulset'));
  }
  if (serviceName) append(errors, invalidEach('spec.serviceName', serviceName, isDns1123Label(serviceName)));
  append(errors, validateTemplate(spec, 'spec.template'));
  return errors;
}

function validateManagementPolicy({ podManagementPolicy: policy }: StatefulSetSpec): FieldError[] {
  const path = 'spec.podManagementPolicy';
  if (!policy) return [required(path)];
  if (policy === 'OrderedReady' || policy === 'Parallel') return [];
  return [invalid(path, policy, "must be 'OrderedReady' or 'Parallel'")];
}

function validateUpdateStrategy({ updateStrategy = {} }: StatefulSetSpec): FieldError[] {
  const path = 'spec.updateStrategy';
  const { type, rollingUpdate } = updateStrategy;
  if (!type) return [required(path)];
  if (type === 'OnDelete')
    return rollingUpdate
      ? [invalid(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")]
      : [];
  if (type !== 'RollingUpdate') return [invalid(path, updateStrategy, "must be 'RollingUpdate' or 'OnDelete'")];
  const errors = notNegative(`${path}.rollingUpdate.partition`, rollingUpdate?.partition);
  const maxUnavailable = rollingUpdate?.maxUnavailable;
  if (maxUnavailable === undefined) return errors;
  const at = `${path}.rollingUpdate.maxUnavailable`;
  append(errors, validateIntOrPercent(maxUnavailable, at));
  if (isZero(maxUnavailable)) errors.push(invalid(at, maxUnavailable, 'cannot be 0'));
  append(errors, validateNotMoreThanAll(maxUnavailable, at));
  return errors;
}

function validateRetentionPolicy(
  policy: StatefulSetPersistentVolumeClaimRetentionPolicy | undefined,
  path: string,
): FieldError[] {
  if (!policy) return [];
  const supported = ['Retain', 'Delete'];
  return (['whenDeleted', 'whenScaled'] as const).flatMap((field) =>
    supported.includes(policy[field] ?? '') ? [] : [notSupported(`${path}.${field}`, policy[field], supported)],
  );
}

function validateTemplate(spec: StatefulSetSpec, path: string): FieldError[] {
  const { template, selector } = spec;
  if (!template) return [required(path)];
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  if (selector && !isSelecting(selector, labels))
    errors.push(invalid(`${path}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`'));
  append(errors, validatePodTemplate(withClaims(template, spec), path));
  if (template.spec.restartPolicy !== 'Always')
    errors.push(notSupported(`${path}.spec.restartPolicy`, template.spec.restartPolicy, ['Always']));
  if (template.spec.activeDeadlineSeconds !== undefined) {
    const text = 'activeDeadlineSeconds in StatefulSet is not Supported';
    errors.push(forbidden(`${path}.spec.activeDeadlineSeconds`, text));
  }
  return errors;
}

/** Containers may mount the claims of their own pod, which the controller adds as volumes. */
function withClaims(template: PodTemplateSpec, { volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const volumes = template.spec.volumes ?? [];
  const taken = new Set(volumes.map(({ name }) => name));
  const claims = volumeClaimTemplates
    .map((claim) => (claim.metadata as { name?: string } | undefined)?.name ?? '')
    .filter((name) => name !== '' && !taken.has(name))
    .map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  if (claims.length === 0) return template;
  return { ...template, spec: { ...template.spec, volumes: [...volumes, ...claims] } };
}

const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

export function validateStatefulSetUpdate(statefulSet: StatefulSet, old: StatefulSet): FieldError[] {
  const errors = validateSpec(statefulSet);
  if (equal(fixedPart(statefulSet), fixedPart(old))) return errors;
  const names = MUTABLE.map((field) => `'${field}'`);
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  errors.push(forbidden('spec', `updates to statefulset spec for fields other than ${list} are forbidden`));
  return errors;
}

function fixedPart({ spec }: StatefulSet): Record<string, unknown> {
  const fixed: Record<string, unknown> = { ...spec };
  for (const field of MUTABLE) delete fixed[field];
  return fixed;
}

const COUNTS = [
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
  'observedGeneration',
  'collisionCount',
] as const;

export function validateStatefulSetStatus({ status }: StatefulSet, old: StatefulSet): FieldError[] {
  const errors = COUNTS.flatMap((field) => notNegative(`status.${field}`, status?.[field]));
  const replicas = status?.replicas ?? 0;
  for (const field of ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const) {
    const value = status?.[field] ?? 0;
    if (value > replicas) errors.push(invalid(`status.${field}`, value, 'cannot be greater than status.replicas'));
  }
  if ((status?.availableReplicas ?? 0) > (status?.readyReplicas ?? 0))
    errors.push(
      invalid('status.availableReplicas', status?.availableReplicas, 'cannot be greater than status.readyReplicas'),
    );
  append(errors, validateCollisionCount(status?.collisionCount, old.status?.collisionCount));
  return errors;
}
