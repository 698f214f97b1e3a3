import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeCorpus } from '../../../shared/fuzz/mutation.js';
import { documentFamilies } from './documents.js';
import type { Family } from './family.js';
import { textFamilies } from './texts.js';
import { wireFamilies } from './wire.js';

export const families: readonly Family[] = [...documentFamilies, ...textFamilies, ...wireFamilies];

// The corpus stays with the sources: this module runs from dist/.
const fileOf = (name: string): string =>
  fileURLToPath(new URL(`../../../../apiserver/testing/fuzz/corpus/${name}.txt`, import.meta.url));

/** The kept inputs of a family, a line each. */
export const readCorpus = (name: string): string[] => readFileSync(fileOf(name), 'utf8').split('\n').slice(0, -1);

/** Makes all corpora again, from the recipes. */
export function writeCorpora(): void {
  families.forEach((family, index) => {
    writeFileSync(fileOf(family.name), `${makeCorpus(family, index + 1).join('\n')}\n`);
  });
}
