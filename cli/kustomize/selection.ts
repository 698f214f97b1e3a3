import { parseSelector } from '../../shared/api/selector-parser.js';
import { matchesSelector } from '../../shared/api/selector.js';
import { Failure } from '../cluster/failure.js';
import type { Selector } from './kustomization.js';
import { groupOf, identityOf, versionOf, type Resource } from './resource.js';

function fits(pattern: string | undefined, ...texts: readonly string[]): boolean {
  if (pattern === undefined || pattern === '') return true;
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${pattern})$`);
  } catch (error) {
    throw new Failure(`error parsing regexp: ${(error as Error).message}`);
  }
  return texts.some((text) => expression.test(text));
}

/** Whether a selector means a resource, by what it is or was called. */
export function isSelected(selector: Selector, resource: Resource): boolean {
  const { object, identities } = resource;
  const { group, version, kind, name, namespace, labelSelector, annotationSelector } = selector;
  const known = [...identities, identityOf(object)];
  const isLabelled = (query: string | undefined, texts: Readonly<Record<string, string>> | undefined): boolean =>
    query === undefined || query === '' || matchesSelector(parseSelector(query), texts ?? {});
  return (
    fits(group, groupOf(object)) &&
    fits(version, versionOf(object)) &&
    fits(kind, object.kind) &&
    fits(name, ...known.map((one) => one.name)) &&
    fits(namespace, ...known.map((one) => one.namespace ?? 'default')) &&
    isLabelled(labelSelector, object.metadata['labels'] as Record<string, string> | undefined) &&
    isLabelled(annotationSelector, object.metadata['annotations'] as Record<string, string> | undefined)
  );
}
