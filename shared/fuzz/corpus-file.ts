import { readFileSync, writeFileSync } from 'node:fs';
import { makeCorpus, type Recipe } from './mutation.js';

/** The kept inputs of a file. */
export const readCorpusFile = (file: URL): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);

/** Makes a file again from its recipe. */
export const writeCorpusFile = (file: URL, recipe: Recipe, seed: number): void =>
  writeFileSync(file, `${makeCorpus(recipe, seed).join('\n')}\n`);
