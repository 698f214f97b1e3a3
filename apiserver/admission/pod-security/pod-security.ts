import { namespaces, pods } from '../../../shared/api/generated/resources.js';
import type { Container, Namespace, Pod } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { ObjectReader } from '../../registry/object-reader.js';
import { forbidden, internalError, invalid } from '../../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.js';
import { detailText, reasonText, violationsOf } from './evaluation.js';
import { openConfiguration, type Exemptions, type PodSecurityConfiguration } from './configuration.js';
import {
  ignoredText,
  isOpen,
  isSame,
  isStricter,
  levelVersionText,
  policyOf,
  type LevelVersion,
  type Policy,
} from './policy.js';
import type { PodShape } from './offenders.js';
import type { PodSecurityMetrics } from './pod-security-metrics.js';
import type { FieldError } from '../../validation/field-error.js';

/** More pods of one namespace are not looked at when its labels change. */
const maxPodsToCheck = 3_000;
const annotationPrefix = 'pod-security.kubernetes.io/';
const seccompPodAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainerAnnotation = 'container.seccomp.security.alpha.kubernetes.io/';

/** Subresources that cannot change what a pod runs. */
const ignoredSubresources = new Set('exec attach binding eviction log portforward proxy status resize'.split(' '));

type Template = { readonly metadata?: PodShape['metadata']; readonly spec?: PodShape['spec'] } | undefined;
type TemplateOf = (object: KubernetesObject) => Template;

const inSpec: TemplateOf = (object) => (object as { spec?: { template?: Template } }).spec?.template;

/** Where the kinds that make pods keep what their pods will be. */
const templates: Readonly<Record<string, TemplateOf>> = {
  '/replicationcontrollers': inSpec,
  '/podtemplates': (object) => (object as { template?: Template }).template,
  'apps/replicasets': inSpec,
  'apps/deployments': inSpec,
  'apps/statefulsets': inSpec,
  'apps/daemonsets': inSpec,
  'batch/jobs': inSpec,
  'batch/cronjobs': (object) =>
    (object as { spec?: { jobTemplate?: { spec?: { template?: Template } } } }).spec?.jobTemplate?.spec?.template,
};

/** What the checks look at besides the request. */
interface World extends PodSecurityConfiguration {
  readonly objects: ObjectReader;
  /** What the labels of a namespace ask for, read once for each state of it and not for each pod. */
  readonly policies: WeakMap<KubernetesObject, ReturnType<typeof policyOf>>;
  readonly metrics: PodSecurityMetrics;
}

/** The Pod Security Standards, as the labels of each namespace ask for them. */
export function podSecurity(
  objects: ObjectReader,
  metrics: PodSecurityMetrics,
  configuration: PodSecurityConfiguration = openConfiguration,
): AdmissionPlugin {
  const world = { objects, policies: new WeakMap(), metrics, ...configuration };
  return {
    name: 'PodSecurity',
    validate: (request) => {
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      if (!request.object) return;
      const { group, resource } = request.definition.resource;
      if (group === '' && resource === 'pods') checkPod(request, world);
      else if (group === '' && resource === 'namespaces') checkNamespace(request, world);
      else {
        const templateOf = templates[`${group}/${resource}`];
        if (templateOf && request.subresource === '') checkTemplate(request, world, templateOf);
      }
    },
  };
}

/** Notes on which ground nothing holds for a request; false where all does. */
function isExempt(request: AdmissionRequest, { exemptions, metrics }: World): boolean {
  const { user, namespace, annotate } = request;
  const isNamespace = exemptions.namespaces.has(namespace ?? '');
  if (!isNamespace && !exemptions.usernames.has(user.name)) return false;
  annotate?.(`${annotationPrefix}exempt`, isNamespace ? 'namespace' : 'user');
  metrics.exempted(request);
  return true;
}

function policyFor(request: AdmissionRequest, world: World): { policy: Policy; errors: FieldError[] } {
  const namespace = world.objects.find(namespaces, undefined, request.namespace ?? '');
  if (!namespace) {
    world.metrics.failed(true, request);
    throw internalError(`failed to lookup namespace ${JSON.stringify(request.namespace ?? '')}`);
  }
  const found = world.policies.get(namespace) ?? policyOf(namespace.metadata.labels, world.defaults);
  world.policies.set(namespace, found);
  return found;
}

function checkPod(request: AdmissionRequest, world: World): void {
  if (ignoredSubresources.has(request.subresource) || isExempt(request, world)) return;
  const { policy, errors } = policyFor(request, world);
  if (isOpen(policy) && errors.length === 0) {
    world.metrics.evaluated('allow', 'enforce', policy.enforce, request);
    return;
  }
  const pod = request.object as unknown as Pod & KubernetesObject;
  if (request.operation === 'UPDATE' && !isSignificant(pod, request.oldObject as unknown as Pod)) return;
  evaluate(request, pod, { ...world, policy, errors, isEnforced: true });
}

function checkTemplate(request: AdmissionRequest, world: World, templateOf: TemplateOf): void {
  if (isExempt(request, world)) return;
  const { policy, errors } = policyFor(request, world);
  if (policy.audit.level === 'privileged' && policy.warn.level === 'privileged' && errors.length === 0) return;
  const template = request.object && templateOf(request.object);
  if (!template?.spec) return;
  const pod = { metadata: template.metadata ?? {}, spec: template.spec };
  evaluate(request, pod, { ...world, policy, errors, isEnforced: false });
}

interface Evaluation {
  readonly policy: Policy;
  readonly errors: readonly FieldError[];
  readonly exemptions: Exemptions;
  readonly isEnforced: boolean;
  readonly metrics: PodSecurityMetrics;
}

function evaluate(request: AdmissionRequest, pod: PodShape, evaluation: Evaluation): void {
  const { policy, errors, exemptions, isEnforced, metrics } = evaluation;
  if (exemptions.runtimeClasses.has(pod.spec.runtimeClassName ?? '')) {
    request.annotate?.(`${annotationPrefix}exempt`, 'runtimeClass');
    metrics.exempted(request);
    return;
  }
  const { enforce, audit, warn } = policy;
  if (isEnforced) request.annotate?.(`${annotationPrefix}enforce-policy`, levelVersionText(enforce));
  const textOf = (level: LevelVersion): string => detailText(violationsOf(level, pod));
  if (errors.length > 0) {
    metrics.failed(false, request);
    const why = errors.map(({ path, message }) => `${path}: ${message}`).join(', ');
    request.annotate?.(`${annotationPrefix}error`, `Failed to parse policy: ${why}`);
  }
  const audited = textOf(audit);
  if (audited !== '') {
    const text = `would violate PodSecurity ${JSON.stringify(levelVersionText(audit))}: ${audited}`;
    request.annotate?.(`${annotationPrefix}audit-violations`, text);
    metrics.evaluated('deny', 'audit', audit, request);
  }
  const refused = isEnforced ? textOf(enforce) : '';
  if (isEnforced) metrics.evaluated(refused === '' ? 'allow' : 'deny', 'enforce', enforce, request);
  if (refused !== '') {
    const why = `violates PodSecurity ${JSON.stringify(levelVersionText(enforce))}: ${refused}`;
    throw forbidden(request.definition.resource, request.name, why);
  }
  const warned = textOf(warn);
  if (warned !== '') {
    metrics.evaluated('deny', 'warn', warn, request);
    request.warn(`would violate PodSecurity ${JSON.stringify(levelVersionText(warn))}: ${warned}`);
  }
}

/** Of what can change in a pod that runs, images and seccomp annotations matter. */
function isSignificant(pod: Pod, old: Pod): boolean {
  const annotations = pod.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  if (annotations[seccompPodAnnotation] !== before[seccompPodAnnotation]) return true;
  const isChanged = (container: Pick<Container, 'image' | 'name'>, previous?: Pick<Container, 'image'>): boolean => {
    const key = `${seccompContainerAnnotation}${container.name}`;
    return !previous || container.image !== previous.image || annotations[key] !== before[key];
  };
  for (const field of ['containers', 'initContainers'] as const) {
    const [next, previous] = [pod.spec[field] ?? [], old.spec[field] ?? []];
    if (next.length !== previous.length || next.some((container, index) => isChanged(container, previous[index]))) {
      return true;
    }
  }
  const known = old.spec.ephemeralContainers ?? [];
  return (pod.spec.ephemeralContainers ?? []).some((container) =>
    isChanged(
      container,
      known.find(({ name }) => name === container.name),
    ),
  );
}

function checkNamespace(request: AdmissionRequest, world: World): void {
  if (request.subresource !== '') return;
  const { defaults, exemptions } = world;
  const namespace = request.object as unknown as Namespace & KubernetesObject;
  const { name, labels } = namespace.metadata;
  const { policy, errors } = policyOf(labels, defaults);
  const refuse = (): never => {
    throw invalid(request.definition.resource, name, errors);
  };
  const warnIgnored = (): void => {
    const text = ignoredText(policy, defaults, labels);
    if (text === undefined) return;
    request.warn(
      `namespace ${JSON.stringify(name)} is exempt from Pod Security, and the policy (${text}) will be ignored`,
    );
  };
  if (request.operation === 'CREATE') {
    if (errors.length > 0) refuse();
    if (exemptions.namespaces.has(name)) warnIgnored();
    return;
  }
  const before = policyOf(request.oldObject?.metadata.labels, defaults);
  const textOf = (list: readonly FieldError[]): string => list.map(({ message, path }) => `${path} ${message}`).join();
  if (errors.length > 0 && textOf(errors) !== textOf(before.errors)) refuse();
  const [next, old] = [policy.enforce, before.policy.enforce];
  if (isSame(next, old) || next.level === 'privileged') return;
  if (next.minor === old.minor && !isStricter(next.level, old.level)) return;
  if (exemptions.namespaces.has(name)) return warnIgnored();
  for (const warning of warningsFor(name, next, world)) request.warn(warning);
}

/** One pod of each controller first, so that many alike hide no other; those of exempt classes not at all. */
function prioritized(pods: readonly Pod[], { runtimeClasses }: Exemptions): readonly Pod[] {
  const seen = new Set<string>();
  const [first, more]: [Pod[], Pod[]] = [[], []];
  for (const pod of pods) {
    if (runtimeClasses.has(pod.spec.runtimeClassName ?? '')) continue;
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
    (owner !== undefined && seen.has(owner) ? more : first).push(pod);
    if (owner !== undefined) seen.add(owner);
  }
  return [...first, ...more];
}

/** The pods that are there already stay; whoever tightens the rules is told which of them break these. */
function warningsFor(namespace: string, level: LevelVersion, { objects, exemptions }: World): string[] {
  const all = prioritized(objects.list(pods, namespace), exemptions);
  const found = new Map<string, { first: string; count: number }>();
  for (const pod of all.slice(0, maxPodsToCheck)) {
    const why = reasonText(violationsOf(level, pod));
    if (why === '') continue;
    const { name } = pod.metadata;
    const known = found.get(why);
    if (!known) found.set(why, { first: name, count: 1 });
    else found.set(why, { first: name < known.first ? name : known.first, count: known.count + 1 });
  }
  const warnings: string[] = [];
  if (all.length > maxPodsToCheck) {
    warnings.push(
      `new PodSecurity enforce level only checked against the first ${maxPodsToCheck} of ${all.length} existing pods`,
    );
  }
  if (found.size === 0) return warnings;
  warnings.push(
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(levelVersionText(level))}`,
  );
  const texts = [...found].map(([why, { first, count }]) => `${first}${othersText(count)}: ${why}`);
  return [...warnings, ...texts.sort()];
}

function othersText(count: number): string {
  if (count === 1) return '';
  return count === 2 ? ' (and 1 other pod)' : ` (and ${count - 1} other pods)`;
}
