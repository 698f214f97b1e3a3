import { laterProgram } from '../e2e/lab/later-debian.js';
import { compareTranscripts, rewriteTranscripts } from './testing/transcript-stage.js';

// Stock kubectl against our server. With TRANSCRIPTS_REWRITE=1 the outputs are written anew, to be read by eye before they
// are kept; transcripts.e2e.test.ts compares knarr with them.
const kubectl = laterProgram('usr/bin/kubectl');
if (process.env['TRANSCRIPTS_REWRITE'] === undefined) compareTranscripts({ kubectl });
else rewriteTranscripts(kubectl);
