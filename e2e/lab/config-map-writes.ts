// Creates ConfigMaps one after another, whatever happens to the API server: node config-map-writes.js
// SIGTERM ends it; the names that the server has acknowledged are then printed as JSON.
import { configmaps } from '../../shared/api/generated/resources.js';
import { isAlreadyExists } from '../../shared/errors/status-error.js';
import { askUntilEnded } from './endless-requests.js';

/** What the writer printed at its end. */
export interface WriteReport {
  readonly acknowledged: readonly string[];
  /** Attempts that failed: the server was away. */
  readonly refused: number;
}

const run = Date.now().toString(36);
const acknowledged: string[] = [];
let refused = 0;

await askUntilEnded(
  { pauseMs: 40, requestTimeoutMs: 5_000 },
  async (client, index, signal) => {
    const name = `write-${run}-${index}`;
    try {
      const body = { metadata: { name, namespace: 'default' }, data: { index: String(index) } };
      await client.create(configmaps, body, { signal });
      acknowledged.push(name);
    } catch (error) {
      // A repeated attempt of the client may find its own first one.
      if (isAlreadyExists(error)) acknowledged.push(name);
      else refused++;
    }
  },
  (): WriteReport => ({ acknowledged, refused }),
);
