import type { PodSpec, PodTemplateSpec } from '../../shared/api/generated/types.js';
import { validateAffinity } from './affinity.js';
import { validateContainers } from './container.js';
import {
  append,
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  oneOf,
  optionalOneOf,
  required,
  type FieldError,
} from './field-error.js';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, rangeMessage } from './names.js';
import { validateAnnotations, validateLabels } from './object-meta.js';
import { validateDnsConfig, validateHostAliases, validateHostNetwork } from './pod-network.js';
import { validateQuantity, validateResources } from './resources.js';
import { validateSpreadConstraints, validateTolerations } from './scheduling.js';
import { validatePodSecurityContext } from './security-context.js';
import { validateVolumes } from './volume.js';
import { repeats } from './repeats.js';

const MAX_INT32 = 0x7fffffff;
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** The rules of a PodSpec wherever it stands; a template may leave open what only a pod must know. */
export function validatePodSpec(spec: PodSpec, path: string, isPod: boolean): FieldError[] {
  return [
    ...validateVolumes(spec.volumes ?? [], `${path}.volumes`, isPod),
    ...validateResourceClaims(spec, `${path}.resourceClaims`),
    ...validateContainers(spec, path),
    ...validatePodResources(spec, `${path}.resources`),
    ...validateHostNetwork(spec, isPod, path),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDnsConfig(spec, `${path}.dnsConfig`),
    ...validateGates(spec, path),
    ...validateSpreadConstraints(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
    ...validateNames(spec, path),
    ...validateDeadline(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...validateTolerations(spec.tolerations ?? [], `${path}.tolerations`),
    ...validateHostAliases(spec.hostAliases ?? [], `${path}.hostAliases`),
    ...optionalOneOf(`${path}.preemptionPolicy`, spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']),
    ...Object.entries(spec.overhead ?? {}).flatMap(([name, quantity]) =>
      validateQuantity(name, quantity, `${path}.overhead.limits[${name}]`),
    ),
    ...(spec.os ? oneOf(spec.os.name ? `${path}.os` : `${path}.os.name`, spec.os.name, ['linux', 'windows']) : []),
  ];
}

function validatePodResources(spec: PodSpec, path: string): FieldError[] {
  if (!spec.resources) return [];
  const errors = validateResources(spec.resources, new Set(), path);
  if (spec.resources.claims)
    errors.push(forbidden(`${path}.claims`, 'claims cannot be set for Resources at pod-level'));
  return errors;
}

function validateResourceClaims({ resourceClaims = [] }: PodSpec, path: string): FieldError[] {
  const repeated = repeats(resourceClaims.map(({ name }) => name));
  return resourceClaims.flatMap((claim, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (!claim.name) errors.push(required(`${at}.name`));
    else if (repeated.has(index)) errors.push(duplicate(`${at}.name`, claim.name));
    else append(errors, invalidEach(`${at}.name`, claim.name, isDns1123Label(claim.name)));
    const { resourceClaimName: name, resourceClaimTemplateName: template } = claim;
    if (name && template)
      errors.push(
        invalid(at, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'),
      );
    if (!name && !template)
      errors.push(invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    return errors;
  });
}

function validateGates({ readinessGates = [], schedulingGates = [] }: PodSpec, path: string): FieldError[] {
  const errors = readinessGates.flatMap(({ conditionType }, index) =>
    invalidEach(`${path}.readinessGates[${index}].conditionType`, conditionType, isQualifiedName(conditionType)),
  );
  const repeated = repeats(schedulingGates.map(({ name }) => name));
  for (const [index, { name }] of schedulingGates.entries()) {
    const at = `${path}.schedulingGates[${index}]`;
    append(errors, invalidEach(at, name, isQualifiedName(name)));
    if (repeated.has(index)) errors.push(duplicate(at, name));
  }
  return errors;
}

function validateNames(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName'] as const) {
    const value = spec[field];
    if (value) append(errors, invalidEach(`${path}.${field}`, value, isDns1123Subdomain(value)));
  }
  for (const field of ['hostname', 'subdomain'] as const) {
    const value = spec[field];
    if (value) append(errors, invalidEach(`${path}.${field}`, value, isDns1123Label(value)));
  }
  return errors;
}

function validateDeadline(seconds: number | undefined, path: string): FieldError[] {
  if (seconds === undefined || (seconds >= 1 && seconds <= MAX_INT32)) return [];
  return [invalid(path, seconds, rangeMessage(1, MAX_INT32))];
}

/** A template of pods in a workload. */
export function validatePodTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const errors = [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...validatePodAnnotations(template.metadata?.annotations, template.spec, `${path}.annotations`),
    ...validatePodSpec(template.spec, `${path}.spec`, false),
  ];
  if ((template.spec.ephemeralContainers ?? []).length > 0)
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  return errors;
}

const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/** Annotations that mean something to Kubernetes itself. */
export function validatePodAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  spec: PodSpec,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const mirror = annotations?.[MIRROR];
  if (mirror !== undefined && !spec.nodeName) {
    const text = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(invalid(`${path}[${MIRROR}]`, mirror, text));
  }
  const cost = annotations?.[DELETION_COST];
  if (cost !== undefined && !isInt32(cost))
    errors.push(invalid(`${path}[${DELETION_COST}]`, cost, 'must be a 32bit integer'));
  return errors;
}

const isInt32 = (text: string): boolean => /^(0|-?[1-9]\d{0,9})$/.test(text) && (Number(text) | 0) === Number(text);
