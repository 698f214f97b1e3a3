import { readFileSync } from 'node:fs';
import type { Container } from '../../shared/api/generated/types.js';
import { readManifests } from '../../shared/manifest/manifest.js';
import { Failure } from '../cluster/failure.js';
import { strategicMerge, type Fields } from '../strategic-merge.js';

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

/** A container changed by a part of one, by the rules of the strategic merge patch. */
export function mergedContainer(container: Container, custom: PartialContainer): Container {
  const { stdin, stdinOnce, tty, ...rest } = strategicMerge(container as unknown as Fields, custom);
  const flags = Object.entries({ stdin, stdinOnce, tty }).filter(([, isSet]) => isSet === true);
  return { ...rest, ...Object.fromEntries(flags) } as unknown as Container;
}
