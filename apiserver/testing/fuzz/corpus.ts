import { readCorpusFile, writeCorpusFile } from '../../../shared/fuzz/corpus-file.js';
import { documentFamilies } from './documents.js';
import type { Family } from './family.js';
import { textFamilies } from './texts.js';
import { wireFamilies } from './wire.js';

export const families: readonly Family[] = [...documentFamilies, ...textFamilies, ...wireFamilies];

// The corpora stay with the sources: this module runs from dist/.
const fileOf = (name: string): URL => new URL(`../../../../apiserver/testing/fuzz/corpus/${name}.txt`, import.meta.url);

/** The kept inputs of a family, a line each. */
export const readCorpus = (name: string): string[] => readCorpusFile(fileOf(name));

/** Makes all corpora again, from the recipes. */
export function writeCorpora(): void {
  families.forEach((family, index) => writeCorpusFile(fileOf(family.name), family, index + 1));
}
