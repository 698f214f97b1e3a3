// Writes the corpora of frames again: npm run compile && node dist/kubelet/streaming/testing/generate.js
import { writeCorpusFile } from '../../../shared/fuzz/corpus-file.js';
import { frameCorpus, frameRecipes } from './frames.js';

Object.entries(frameRecipes).forEach(([name, recipe], index) => writeCorpusFile(frameCorpus(name), recipe, index + 1));
