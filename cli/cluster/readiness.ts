import { nodes as nodeResource } from '../../shared/api/generated/resources.js';
import type { Node } from '../../shared/api/generated/types.js';
import { isConditionTrue } from '../../shared/api/condition.js';
import type { Client } from '../../shared/client/client.js';
import { waitForServer } from '../../shared/client/connect.js';
import { systemClock } from '../../shared/clock/clock.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { Failure } from './failure.js';
import type { Progress } from './progress.js';

export interface ReadinessOptions {
  readonly client: Client;
  readonly nodes: readonly string[];
  readonly timeoutMs: number;
  readonly progress: Progress;
  /** Folder to look into when it takes too long. */
  readonly logs: string;
}

const pollMs = 25;

/** Why a node is not Ready; undefined when it is. */
export function unreadyNode(name: string, node: Node | undefined): string | undefined {
  if (!node) return `${name} has not registered`;
  if (isConditionTrue(node.status?.conditions, 'Ready')) return undefined;
  const ready = node.status?.conditions?.find((c) => c.type === 'Ready');
  return ready?.message ? `${name}: ${ready.message}` : `${name} has not reported`;
}

/** Waits until the API server is ready and all nodes are Ready. Throws a Failure with the last reason. */
export async function waitForCluster({ client, nodes, timeoutMs, progress, logs }: ReadinessOptions): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const late = (reason: string): Failure =>
    new Failure(`The cluster did not get ready within ${timeoutMs / 1000} s: ${reason}. The logs are in ${logs}`);
  progress.step('waiting for the API server');
  await waitForServer(client, { clock: systemClock, timeoutMs, onWaiting: (reason) => progress.detail(reason) }).catch(
    (error: unknown) => {
      throw late((error as Error).message);
    },
  );
  progress.step(
    nodes.length === 1 ? 'waiting for the node to be Ready' : `waiting for ${nodes.length} nodes to be Ready`,
  );
  for (;;) {
    const reasons = await unreadyReasons(client, nodes).catch(awayAgain);
    if (reasons.length === 0) return;
    progress.detail(reasons.join('; '));
    if (performance.now() > deadline) throw late(reasons.join('; '));
    await systemClock.sleep(pollMs);
  }
}

/** A server that answered may end once more, e.g. for want of memory: its supervisor starts it again. */
function awayAgain(error: unknown): string[] {
  if (!(error instanceof Error) || (error as NodeJS.ErrnoException).code === undefined) throw error;
  return [`the API server is away again (${error.message})`];
}

async function unreadyReasons(client: Client, nodes: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    nodes.map((name) =>
      client.get(nodeResource, name).catch((error: unknown) => {
        if (error instanceof StatusError) return undefined;
        throw error;
      }),
    ),
  );
  return nodes.flatMap((name, i) => unreadyNode(name, found[i]) ?? []);
}
