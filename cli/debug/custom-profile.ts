import { readFileSync } from 'node:fs';
import type { Container } from '../../shared/api/generated/types.js';
import { readManifests } from '../../shared/manifest/manifest.js';
import { Failure } from '../cluster/failure.js';

/** Part of a container, as a file has it. */
export type PartialContainer = Readonly<Record<string, unknown>>;

/** Reads what --custom names. @throws Failure where it is none, or says what only flags may. */
export function readCustomProfile(file: string): PartialContainer {
  const [document] = documentsOf(file);
  const value = document?.value ?? {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure(`${file} does not contain a valid container spec: it is not an object`);
  }
  const custom = value as PartialContainer;
  const isGiven = (field: unknown): boolean =>
    field !== undefined && field !== null && field !== '' && !isEmptyList(field);
  if (
    [custom['name'], custom['command'], custom['image'], custom['lifecycle'], custom['volumeDevices']].some(isGiven)
  ) {
    throw new Failure('name, command, image, lifecycle and volume devices are not modifiable via custom profile');
  }
  return custom;
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function documentsOf(file: string): { readonly value: unknown }[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Failure(
      `must pass a container spec json file for custom profile: open ${file}: no such file or directory`,
    );
  }
  try {
    return readManifests(text, { file });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${file} does not contain a valid container spec: ${reason}`);
  }
}

/** Lists of a container whose items are told apart by a field; all others are replaced as a whole. */
const mergeKeys: Readonly<Record<string, string>> = { env: 'name', ports: 'containerPort', volumeMounts: 'mountPath' };

/** A container changed by a part of one, by the rules of the strategic merge patch. */
export function mergedContainer(container: Container, custom: PartialContainer): Container {
  const { stdin, stdinOnce, tty, ...rest } = merged(container as unknown as Fields, custom);
  const flags = Object.entries({ stdin, stdinOnce, tty }).filter(([, isSet]) => isSet === true);
  return { ...rest, ...Object.fromEntries(flags) } as unknown as Container;
}

type Fields = Readonly<Record<string, unknown>>;

function merged(base: Fields, patch: Fields): Fields {
  const result = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(patch)) {
    const before = result.get(name);
    const key = mergeKeys[name];
    if (value === null) result.delete(name);
    else if (key !== undefined && isItems(before) && isItems(value)) result.set(name, mergedItems(before, value, key));
    else result.set(name, isFields(before) && isFields(value) ? merged(before, value) : value);
  }
  return Object.fromEntries(result);
}

/** Items of the patch come before those that it does not name, unless the list had them in another order. */
function mergedItems(base: readonly Fields[], patch: readonly Fields[], key: string): Fields[] {
  const place = (item: Fields | undefined): number => base.findIndex((each) => each[key] === item?.[key]);
  const named = patch.map((item) => merged(base[place(item)] ?? {}, item));
  const known = named.filter((item) => place(item) >= 0).sort((a, b) => place(a) - place(b));
  const right = named.map((item) => (place(item) < 0 ? item : (known.shift() ?? item)));
  const left = base.filter((item) => !patch.some((each) => each[key] === item[key]));
  const result: Fields[] = [];
  while (left.length > 0 && right.length > 0) {
    const [first, second] = [place(left[0]), place(right[0])];
    const next = second >= 0 && first < second ? left.shift() : right.shift();
    if (next) result.push(next);
  }
  return [...result, ...right, ...left];
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isItems = (value: unknown): value is Fields[] => Array.isArray(value) && value.every(isFields);
