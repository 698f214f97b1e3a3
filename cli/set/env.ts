import type { Container, EnvVar } from '../../shared/api/generated/types.js';
import { Failure } from '../cluster/failure.js';
import type { FoundObject } from '../found-objects.js';
import { patchOfPodSpec, podSpecOf, selectContainers } from '../pod-template.js';

/** Variables to set, and names to remove. */
export interface EnvChanges {
  readonly set: readonly EnvVar[];
  readonly remove: readonly string[];
}

/** Splits `deploy/web A=1 B-` into what is meant and what is to change. @throws Failure */
export function parseEnvChanges(words: readonly string[]): { targets: string[]; changes: EnvChanges } {
  const targets: string[] = [];
  const set: EnvVar[] = [];
  const remove: string[] = [];
  for (const word of words) {
    const at = word.indexOf('=');
    if (at > 0) set.push({ name: word.slice(0, at), value: word.slice(at + 1) });
    else if (word.endsWith('-') && word.length > 1) remove.push(word.slice(0, -1));
    else if (set.length + remove.length > 0) {
      throw new Failure(`all resources must be specified before environment changes: ${word}`);
    } else targets.push(word);
  }
  return { targets, changes: { set, remove } };
}

/** The environment after the changes; undefined when it is the same. */
export function changedEnv(
  before: readonly EnvVar[],
  { set, remove }: EnvChanges,
  isOverwriting = true,
  target = '',
): EnvVar[] | undefined {
  const wanted = new Map(set.map((variable) => [variable.name, variable]));
  const after: EnvVar[] = [];
  for (const variable of before) {
    if (remove.includes(variable.name)) continue;
    const replacement = isOverwriting ? wanted.get(variable.name) : undefined;
    if (!isOverwriting && wanted.has(variable.name) && wanted.get(variable.name)?.value !== variable.value)
      throw new Failure(
        `${target}'${variable.name}' already has a value (${variable.value ?? ''}), and --overwrite is false`,
      );
    after.push(replacement ?? variable);
    wanted.delete(variable.name);
  }
  after.push(...wanted.values());
  return JSON.stringify(after) === JSON.stringify(before) ? undefined : after;
}

/** The patch that changes the environment of the containers of a name pattern. Lists are replaced whole: their order is kept. */
export function envPatch(
  target: FoundObject,
  changes: EnvChanges,
  { containers, isOverwriting }: { containers: string; isOverwriting: boolean },
): object | undefined {
  const patch: Record<string, object[]> = {};
  for (const { list, container } of selectContainers(podSpecOf(target), containers)) {
    const env = changedEnv(container.env ?? [], changes, isOverwriting, `${target.type.resource}/${target.name} `);
    if (!env) continue;
    const order = [{ $patch: 'replace' }];
    (patch[list] ??= []).push({ name: container.name, env: [...env, ...order] });
  }
  return Object.keys(patch).length === 0 ? undefined : patchOfPodSpec(target, patch);
}

/** `log.level` as the name of a variable: `LOG_LEVEL`. */
export const variableName = (key: string): string => key.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');

/** Variables that take their values from the keys of a ConfigMap or Secret. */
export function envFromKeys(
  { kind, name, keys }: { kind: string; name: string; keys: readonly string[] },
  prefix: string,
): EnvVar[] {
  return keys.toSorted().map((key) => {
    const selector = { key, name };
    const valueFrom = kind === 'Secret' ? { secretKeyRef: selector } : { configMapKeyRef: selector };
    return { name: `${prefix}${variableName(key)}`, valueFrom };
  });
}

/** What `--list` says of one variable where its value is elsewhere. */
export function sourceText({ valueFrom }: EnvVar): string {
  if (valueFrom?.fieldRef) return `a field path ${valueFrom.fieldRef.fieldPath}`;
  if (valueFrom?.resourceFieldRef) {
    const { containerName, resource } = valueFrom.resourceFieldRef;
    return `a resource ${containerName ? `${containerName}.` : ''}${resource}`;
  }
  if (valueFrom?.secretKeyRef)
    return `the secret ${valueFrom.secretKeyRef.name ?? ''}, key ${valueFrom.secretKeyRef.key}`;
  if (valueFrom?.configMapKeyRef) {
    return `the configmap ${valueFrom.configMapKeyRef.name ?? ''}, key ${valueFrom.configMapKeyRef.key}`;
  }
  return 'an unknown source';
}

export const containerTitle = ({ object, name }: FoundObject, container: Container): string =>
  `# ${object.kind} ${name}, container ${container.name}`;
