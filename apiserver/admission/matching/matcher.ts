import { namespaces } from '../../../shared/api/generated/resources.js';
import type { LabelSelector, RuleWithOperations } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { matchesSelector, selectorOf, type Selector } from '../../../shared/api/selector.js';
import { apiserverUser } from '../../authentication/user.js';
import type { ResourceDefinition } from '../../registry/definition.js';
import type { ObjectReader } from '../../registry/object-reader.js';
import { notFound } from '../../registry/status-errors.js';
import type { AdmissionRequest } from '../admission.js';
import { equivalentsOf } from '../../registry/versions.js';

/** Rules as webhooks have them; policies may name objects too. */
export type Rule = RuleWithOperations & { readonly resourceNames?: readonly string[] };

/** Which requests a webhook, a policy or a binding is about. */
export interface MatchCriteria {
  readonly rules: readonly Rule[];
  readonly excludeRules?: readonly Rule[];
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
}

const isNamespaces = ({ resource }: ResourceDefinition): boolean =>
  resource.group === '' && resource.resource === 'namespaces';

/**
 * Configurations of admission itself are never subject to it: nobody can lock himself out. Nor are the server's own
 * objects: it could not start while a webhook does not answer.
 */
export function isExempt({ definition, user }: AdmissionRequest): boolean {
  return definition.resource.group === 'admissionregistration.k8s.io' || user === apiserverUser;
}

const covers = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

function ruleMatches(rule: Rule, request: AdmissionRequest, as: ResourceDefinition): boolean {
  const { group, version, resource } = as.resource;
  if (!covers(rule.operations, request.operation)) return false;
  if (!covers(rule.apiGroups, group) || !covers(rule.apiVersions, version)) return false;
  if (!scopeMatches(rule.scope ?? '*', request)) return false;
  const names = rule.resourceNames ?? [];
  if (names.length > 0 && !names.includes(request.name)) return false;
  return (rule.resources ?? []).some((text) => {
    const slash = text.indexOf('/');
    const [wanted, sub] = slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)];
    return (wanted === '*' || wanted === resource) && (sub === '*' || sub === request.subresource);
  });
}

function scopeMatches(scope: string, request: AdmissionRequest): boolean {
  if (scope === '*') return true;
  const isCluster = isNamespaces(request.definition) || !request.namespace;
  return (scope === 'Cluster') === isCluster;
}

/** Decides what webhooks, policies and bindings are about. Selectors are read once each. */
export class Matcher {
  readonly #objects: ObjectReader;
  readonly #definitions: () => readonly ResourceDefinition[];
  readonly #selectors = new WeakMap<LabelSelector, Selector>();

  constructor(objects: ObjectReader, definitions: () => readonly ResourceDefinition[]) {
    this.#objects = objects;
    this.#definitions = definitions;
  }

  /**
   * The version of the resource that the criteria know, or undefined where the request is none of their business.
   * Throws 404 where the namespace whose labels matter is not there.
   */
  match(criteria: MatchCriteria, request: AdmissionRequest): ResourceDefinition | undefined {
    const version = this.versionOf(criteria, request);
    if (!version || !this.#objectMatches(criteria.objectSelector, request)) return undefined;
    return this.#namespaceMatches(criteria.namespaceSelector, request) ? version : undefined;
  }

  /** As far as the rules alone can tell. */
  versionOf(criteria: MatchCriteria, request: AdmissionRequest): ResourceDefinition | undefined {
    const { definition } = request;
    const isExact = criteria.matchPolicy === 'Exact';
    let equivalents: readonly ResourceDefinition[] | undefined;
    const all = (): readonly ResourceDefinition[] =>
      isExact ? [] : (equivalents ??= equivalentsOf(definition, this.#definitions()));
    const excluded = criteria.excludeRules ?? [];
    if (excluded.some((rule) => ruleMatches(rule, request, definition))) return undefined;
    if (excluded.length > 0 && all().some((as) => excluded.some((rule) => ruleMatches(rule, request, as)))) {
      return undefined;
    }
    if (criteria.rules.some((rule) => ruleMatches(rule, request, definition))) return definition;
    for (const rule of criteria.rules) {
      // What the rule does not ask for needs no look at other versions.
      if (isExact || !covers(rule.operations, request.operation)) continue;
      const found = all().find((as) => ruleMatches(rule, request, as));
      if (found) return found;
    }
    return undefined;
  }

  #selector(given: LabelSelector): Selector {
    const known = this.#selectors.get(given);
    if (known) return known;
    const made = selectorOf(given);
    this.#selectors.set(given, made);
    return made;
  }

  #objectMatches(given: LabelSelector | undefined, { object, oldObject, kind }: AdmissionRequest): boolean {
    if (!given || isEmpty(given)) return true;
    const selector = this.#selector(given);
    const isMatch = (candidate: KubernetesObject | undefined): boolean =>
      candidate !== undefined && matchesSelector(selector, candidate.metadata?.labels ?? {});
    // Options of a connection have no labels; no selector but the empty one is about them.
    return kind?.kind.endsWith('Options') === true ? false : isMatch(object) || isMatch(oldObject);
  }

  #namespaceMatches(given: LabelSelector | undefined, request: AdmissionRequest): boolean {
    if (!given || isEmpty(given)) return true;
    const selector = this.#selector(given);
    if (isNamespaces(request.definition)) {
      const labels = (request.object ?? request.oldObject)?.metadata.labels;
      return matchesSelector(selector, (request.subresource === '' ? labels : this.#labelsOf(request.name)) ?? {});
    }
    if (!request.namespace) return true;
    const labels = this.#labelsOf(request.namespace);
    if (!labels) throw notFound(namespaces, request.namespace);
    return matchesSelector(selector, labels);
  }

  #labelsOf(namespace: string): Readonly<Record<string, string>> | undefined {
    const found = this.#objects.find(namespaces, undefined, namespace);
    return found && (found.metadata.labels ?? {});
  }
}

const isEmpty = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions ?? []).length === 0;
