import type { PolicyRule } from '../../shared/api/generated/types.js';
import type { Attributes } from './authorizer.js';

/** One rule, ready to be asked. Undefined sets stand for all. */
interface CompiledRule {
  readonly verbs: ReadonlySet<string> | undefined;
  readonly groups: ReadonlySet<string> | undefined;
  readonly names: ReadonlySet<string> | undefined;
}

interface PathRule {
  readonly verbs: ReadonlySet<string> | undefined;
  /** What a path must begin with, or be. */
  readonly text: string;
  readonly isPrefix: boolean;
}

/**
 * The rules of one role by the resources that they name, so that a request looks only at those that can concern it:
 * `pods`, `pods/status`, `*`, and `*` + `/status`.
 */
export class CompiledRules {
  readonly source: readonly PolicyRule[];
  readonly #byResource = new Map<string, CompiledRule[]>();
  readonly #paths: PathRule[] = [];

  constructor(rules: readonly PolicyRule[]) {
    this.source = rules;
    for (const rule of rules) this.#add(rule);
  }

  allows(attributes: Attributes): boolean {
    if (!attributes.isResourceRequest) return this.#allowsPath(attributes);
    const { resource, subresource } = attributes;
    if (this.#anyAllows('*', attributes)) return true;
    if (subresource === '') return this.#anyAllows(resource, attributes);
    return this.#anyAllows(`${resource}/${subresource}`, attributes) || this.#anyAllows(`*/${subresource}`, attributes);
  }

  #add({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): void {
    const verbSet = allOr(verbs);
    for (const url of nonResourceURLs ?? []) {
      const isPrefix = url.endsWith('*');
      this.#paths.push({ verbs: verbSet, text: isPrefix ? url.replace(/\*+$/, '') : url, isPrefix });
    }
    const names = resourceNames && resourceNames.length > 0 ? new Set(resourceNames) : undefined;
    const compiled: CompiledRule = { verbs: verbSet, groups: allOr(apiGroups), names };
    for (const resource of resources ?? []) {
      const known = this.#byResource.get(resource);
      if (known) known.push(compiled);
      else this.#byResource.set(resource, [compiled]);
    }
  }

  #anyAllows(key: string, { verb, group, name }: Attributes): boolean {
    const found = this.#byResource.get(key);
    if (found === undefined) return false;
    for (const { verbs, groups, names } of found) {
      if (verbs !== undefined && !verbs.has(verb)) continue;
      if (groups !== undefined && !groups.has(group)) continue;
      if (names === undefined || names.has(name)) return true;
    }
    return false;
  }

  #allowsPath({ verb, path }: Attributes): boolean {
    for (const { verbs, text, isPrefix } of this.#paths) {
      if (verbs !== undefined && !verbs.has(verb)) continue;
      if (isPrefix ? path.startsWith(text) : path === text) return true;
    }
    return false;
  }
}

const allOr = (words: readonly string[] | undefined): ReadonlySet<string> | undefined =>
  words?.includes('*') ? undefined : new Set(words);
