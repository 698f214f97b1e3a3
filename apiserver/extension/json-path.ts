import { getField, isObject } from '../../shared/api/json.js';

/** A path of fields and list indexes, as printer columns and selectable fields use it. */
export type FieldPath = readonly (string | number | Filter | typeof everything)[];

/** `[?(@.type=="Ready")]`: items whose field has a value. */
const everything = Symbol('everything');

interface Filter {
  readonly field: readonly string[];
  readonly value: string;
}

const step =
  /\.([A-Za-z_$][\w$-]*(?:\\\.[\w$-]+)*)|\.([\w-]+(?:\\\.[\w/-]+)*)|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|\[(-?\d{1,9})\]|(\[\*\]|\.\*)|\[\?\(@((?:\.[\w-]+)+)\s*==\s*["']([^"']*)["']\)\]/y;

/** Reads a simple JSON path that begins with a dot; undefined for anything else. */
export function parseFieldPath(text: string): FieldPath | undefined {
  if (text.length > 1_024) return undefined;
  const steps: (string | number | Filter | typeof everything)[] = [];
  step.lastIndex = 0;
  while (step.lastIndex < text.length) {
    const match = step.exec(text);
    if (!match) return undefined;
    const [, name, other, single, double, index, all, field, value] = match;
    const key = name ?? other ?? single ?? double;
    if (key !== undefined) steps.push(key.replace(/\\(.)/g, '$1'));
    else if (index !== undefined) steps.push(Number(index));
    else if (all !== undefined) steps.push(everything);
    else steps.push({ field: (field ?? '').split('.').slice(1), value: value ?? '' });
  }
  return steps.length === 0 ? undefined : steps;
}

/** What a path leads to; several values where it goes through all items of a list. */
export function valuesAt(value: unknown, path: FieldPath): unknown[] {
  let found: unknown[] = [value];
  for (const part of path) {
    found = found.flatMap((each) => stepInto(each, part));
    if (found.length === 0) return [];
  }
  return found;
}

function stepInto(value: unknown, part: FieldPath[number]): unknown[] {
  if (part === everything) {
    return Array.isArray(value) ? (value as unknown[]) : isObject(value) ? Object.values(value) : [];
  }
  if (typeof part === 'number') {
    const item: unknown = Array.isArray(value) ? (value as unknown[]).at(part) : undefined;
    return item === undefined ? [] : [item];
  }
  if (typeof part === 'object') {
    if (!Array.isArray(value)) return [];
    return value.filter((item: unknown) => valuesAt(item, part.field)[0] === part.value) as unknown[];
  }
  const field = isObject(value) ? getField(value, part) : undefined;
  return field === undefined ? [] : [field];
}

export const valueAt = (value: unknown, path: FieldPath): unknown => valuesAt(value, path)[0];

/** Sets a field; objects on the way are made where they lack. */
export function setAt(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = object;
  path.forEach((name, index) => {
    if (index === path.length - 1) {
      at[name] = value;
      return;
    }
    const next = getField(at, name);
    if (isObject(next)) at = next;
    else {
      const made: Record<string, unknown> = {};
      at[name] = made;
      at = made;
    }
  });
}

/** `.spec.replicas` without lists; undefined for anything else. */
export function parsePlainPath(text: string): readonly string[] | undefined {
  const path = parseFieldPath(text);
  if (!path?.every((part) => typeof part === 'string' && part !== '__proto__')) return undefined;
  return path as readonly string[];
}
