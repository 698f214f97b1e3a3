import { join } from 'node:path';
import { isObject } from '../../shared/api/json.js';
import { Failure } from '../cluster/failure.js';
import { readDocuments, readInside, type FieldOptions, type Kustomization, type Replacement } from './kustomization.js';
import type { Resource } from './resource.js';
import { isSelected } from './selection.js';

/** Copies values from field to field. */
export function replaceAll(resources: readonly Resource[], { directory, replacements }: Kustomization): void {
  for (const given of replacements) for (const one of loaded(given, directory)) replaceOne(resources, one);
}

function loaded(given: Replacement, directory: string): Replacement[] {
  if (given.path === undefined) return [given];
  const file = join(directory, given.path);
  return readDocuments(readInside(directory, given.path).toString('utf8'), file).flat() as Replacement[];
}

function replaceOne(resources: readonly Resource[], { source, targets = [] }: Replacement): void {
  if (!source) throw new Failure('a replacement has no source');
  const { fieldPath = 'metadata.name', options, ...selector } = source;
  const found = resources.filter((resource) => isSelected(selector, resource));
  const [chosen] = found;
  if (!chosen || found.length > 1)
    throw new Failure(`${chosen ? 'multiple matches' : 'nothing selected'} by ${JSON.stringify(selector)}`);
  const value = part(valueAt(chosen.object, stepsOf(fieldPath)), options);
  if (value === undefined) throw new Failure(`fieldPath \`${fieldPath}\` is missing for replacement source`);
  for (const { select, reject = [], fieldPaths = ['metadata.name'], options: how = {} } of targets) {
    for (const resource of resources) {
      if (!isSelected(select, resource) || reject.some((one) => isSelected(one, resource))) continue;
      for (const path of fieldPaths) {
        const count = setAt(
          resource.object,
          stepsOf(path),
          (present) => placed(present, value, how),
          how.create === true,
        );
        if (count === 0) throw new Failure(`unable to find field ${JSON.stringify(path)} in replacement target`);
      }
    }
  }
}

/** Steps of `spec.containers.[name=web].env.0`; a key may hold dots when it stands in brackets: `annotations.[a.b/c]`. */
const stepsOf = (path: string): string[] =>
  [...path.matchAll(/\[([^\]]*)\]|((?:\\.|[^.[\]])+)/g)].map(([, bracketed, bare]) =>
    bracketed === undefined
      ? (bare ?? '').replaceAll('\\.', '.')
      : bracketed.includes('=')
        ? `[${bracketed}]`
        : bracketed,
  );

/** Items of a list that a step means: an index, `*`, `[key=value]`. */
function indexes(list: readonly unknown[], step: string): number[] {
  if (step === '*') return list.map((_, index) => index);
  const [, key = '', wanted] = /^\[([^=]*)=(.*)\]$/.exec(step) ?? [];
  if (wanted === undefined) return /^\d+$/.test(step) && Number(step) < list.length ? [Number(step)] : [];
  return list.flatMap((item, index) => (isObject(item) && String(item[key]) === wanted ? [index] : []));
}

function valueAt(inside: unknown, steps: readonly string[]): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return inside;
  if (Array.isArray(inside)) {
    const [index] = indexes(inside, step);
    return index === undefined ? undefined : valueAt(inside[index], rest);
  }
  return isObject(inside) ? valueAt(inside[step], rest) : undefined;
}

/** Resolves with the number of places that were set. */
function setAt(
  inside: unknown,
  steps: readonly string[],
  change: (value: unknown) => unknown,
  creates: boolean,
): number {
  const [step = '', ...rest] = steps;
  const isLast = rest.length === 0;
  if (Array.isArray(inside)) {
    const list = inside as unknown[];
    return indexes(list, step).reduce((count, index) => {
      if (!isLast) return count + setAt(list[index], rest, change, creates);
      list[index] = change(list[index]);
      return count + 1;
    }, 0);
  }
  if (!isObject(inside)) return 0;
  if (inside[step] === undefined) {
    if (!creates) return 0;
    if (!isLast) inside[step] = {};
  }
  if (!isLast) return setAt(inside[step], rest, change, creates);
  inside[step] = change(inside[step]);
  return 1;
}

/** The part of a value that the source means. */
function part(value: unknown, { delimiter, index = 0 }: FieldOptions = {}): unknown {
  return typeof value === 'string' && delimiter ? value.split(delimiter)[index] : value;
}

/** The value in its place, or in a part of what is there: before the first with an index below zero, behind the last beyond. */
function placed(present: unknown, value: unknown, { delimiter, index = 0 }: FieldOptions): unknown {
  if (!delimiter || typeof present !== 'string') return structuredClone(value);
  const parts = present.split(delimiter);
  if (index < 0) parts.unshift(String(value));
  else if (index >= parts.length) parts.push(String(value));
  else parts[index] = String(value);
  return parts.join(delimiter);
}
