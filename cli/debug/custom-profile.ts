import { readFileSync } from 'node:fs';
import type { Container } from '../../shared/api/generated/types.js';
import type { JsonObject } from '../../shared/api/json.js';
import { readManifests } from '../../shared/manifest/manifest.js';
import type { MergeSchema } from '../../shared/patch/merge-schema.js';
import { strategicMergePatch } from '../../shared/patch/strategic-merge-patch.js';
import { Failure } from '../cluster/failure.js';
import { here } from '../local-patch.js';
import type { TypeTables } from '../type-tables.js';

/** Part of a container, as a file has it, and how containers merge. */
export interface CustomProfile {
  readonly container: Readonly<JsonObject>;
  readonly schema: MergeSchema;
}

/** Reads what --custom names. @throws Failure where it is none, or says what only flags may. */
export function readCustomProfile(file: string, types: TypeTables): CustomProfile {
  const [document] = documentsOf(file);
  const value = document?.value ?? {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure(`${file} does not contain a valid container spec: it is not an object`);
  }
  const custom = value as JsonObject;
  const isGiven = (field: unknown): boolean =>
    field !== undefined && field !== null && field !== '' && !isEmptyList(field);
  if (
    [custom['name'], custom['command'], custom['image'], custom['lifecycle'], custom['volumeDevices']].some(isGiven)
  ) {
    throw new Failure('name, command, image, lifecycle and volume devices are not modifiable via custom profile');
  }
  return { container: custom, schema: types.definition('io.k8s.api.core.v1.Container') };
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
export function mergedContainer(base: Container, { container, schema }: CustomProfile): Container {
  const merged = here(() => strategicMergePatch(base as unknown as JsonObject, container, schema));
  const { stdin, stdinOnce, tty, ...rest } = merged;
  const flags = Object.entries({ stdin, stdinOnce, tty }).filter(([, isSet]) => isSet === true);
  return { ...rest, ...Object.fromEntries(flags) } as unknown as Container;
}
