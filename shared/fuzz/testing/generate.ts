// Writes the corpora of files again: npm run compile && node dist/shared/fuzz/testing/generate.js
import { writeCorpusFile } from '../corpus-file.js';
import { fileCorpus, fileRecipes } from './texts.js';

Object.entries(fileRecipes).forEach(([name, recipe], index) => writeCorpusFile(fileCorpus(name), recipe, index + 1));
