// Sends the demo's pictures to a gateway without end, from inside a host's network: node picture-load.js URL FOLDER
// SIGTERM ends it; what became of the requests is then printed as JSON.
import { setTimeout as delay } from 'node:timers/promises';
import { readPictures, sendPictures, type DemoResult } from '../../examples/image-classification/client.js';

/** What a load printed at its end. */
export interface LoadReport {
  readonly answered: number;
  readonly failures: readonly string[];
  readonly gateways: readonly string[];
  readonly modelServers: readonly string[];
  readonly slowestMs: number;
}

const [baseUrl = '', folder = ''] = process.argv.slice(2);
/** Two cores also run the cluster: a steady stream, not as much as goes. */
const pauseMs = 60;
const maxFailures = 100;

let isEnding = false;
process.once('SIGTERM', () => {
  isEnding = true;
});

const failures: string[] = [];
const gateways = new Set<string>();
const modelServers = new Set<string>();
let answered = 0;
let slowestMs = 0;

function note(result: DemoResult): void {
  slowestMs = Math.max(slowestMs, result.latencyMs);
  if (result.kind === 'answered') {
    answered++;
    gateways.add(result.gateway);
    modelServers.add(result.modelServer);
  } else if (failures.length < maxFailures) {
    failures.push(
      `${new Date().toISOString()} ${result.picture} after ${Math.round(result.latencyMs)} ms: ${result.error}`,
    );
  }
}

const pictures = readPictures(folder, []);
for (let turn = 0; !isEnding; turn++) {
  const pair = [0, 1].flatMap((offset) => pictures[(2 * turn + offset) % pictures.length] ?? []);
  await sendPictures({ baseUrl, pictures: pair, concurrency: 2, timeoutMs: 15_000, onResult: note });
  await delay(pauseMs);
}
const report: LoadReport = {
  answered,
  failures,
  gateways: [...gateways],
  modelServers: [...modelServers],
  slowestMs: Math.round(slowestMs),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
