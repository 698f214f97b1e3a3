import { setTimeout as delay } from 'node:timers/promises';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import type { Client } from '../../shared/client/client.js';
import { systemClock } from '../../shared/clock/clock.js';

export interface Pace {
  /** Between two requests. */
  readonly pauseMs: number;
  readonly requestTimeoutMs: number;
}

/**
 * The main loop of a program that asks the API server of KUBECONFIG again and again, whatever happens to it. SIGTERM ends it;
 * what `report` tells is then printed as JSON, for a `Background` to read. `ask` handles failures itself.
 */
export async function askUntilEnded(
  { pauseMs, requestTimeoutMs }: Pace,
  ask: (client: Client, index: number, signal: AbortSignal) => Promise<void>,
  report: () => object,
): Promise<void> {
  let isEnding = false;
  process.once('SIGTERM', () => {
    isEnding = true;
  });
  const client = await clientFromKubeconfig(process.env['KUBECONFIG'] ?? '', {
    clock: systemClock,
    userAgent: 'knarr-e2e',
  });
  for (let index = 0; !isEnding; index++) {
    await ask(client, index, AbortSignal.timeout(requestTimeoutMs));
    await delay(pauseMs);
  }
  client.close();
  process.stdout.write(`${JSON.stringify(report())}\n`);
}
