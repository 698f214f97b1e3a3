// Writes the corpora again after a recipe has changed: npm run compile && node dist/apiserver/testing/fuzz/generate.js
import { writeCorpora } from './corpus.js';

writeCorpora();
