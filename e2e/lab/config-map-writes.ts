// Creates ConfigMaps one after another, whatever happens to the API server: node config-map-writes.js
// SIGTERM ends it; the names that the server has acknowledged are then printed as JSON.
import { setTimeout as delay } from 'node:timers/promises';
import { configmaps } from '../../shared/api/generated/resources.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import { systemClock } from '../../shared/clock/clock.js';
import { isAlreadyExists } from '../../shared/errors/status-error.js';

/** What the writer printed at its end. */
export interface WriteReport {
  readonly acknowledged: readonly string[];
  /** Attempts that failed: the server was away. */
  readonly refused: number;
}

const pauseMs = 40;
const requestTimeoutMs = 5_000;

let isEnding = false;
process.once('SIGTERM', () => {
  isEnding = true;
});

const client = await clientFromKubeconfig(process.env['KUBECONFIG'] ?? '', {
  clock: systemClock,
  userAgent: 'knarr-e2e',
});
const run = Date.now().toString(36);
const acknowledged: string[] = [];
let refused = 0;
for (let index = 0; !isEnding; index++) {
  const name = `write-${run}-${index}`;
  try {
    const body = { metadata: { name, namespace: 'default' }, data: { index: String(index) } };
    await client.create(configmaps, body, { signal: AbortSignal.timeout(requestTimeoutMs) });
    acknowledged.push(name);
  } catch (error) {
    // A repeated attempt of the client may find its own first one.
    if (isAlreadyExists(error)) acknowledged.push(name);
    else refused++;
  }
  await delay(pauseMs);
}
client.close();
const report: WriteReport = { acknowledged, refused };
process.stdout.write(`${JSON.stringify(report)}\n`);
