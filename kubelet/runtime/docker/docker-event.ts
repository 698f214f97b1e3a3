import type { IncomingMessage } from 'node:http';

import { isAbort } from '../../../shared/errors/status-error.js';
import type { RuntimeEvent } from '../container-runtime.js';
import { toRuntimeError, unavailable } from './docker-error.js';
import type { DockerEngine } from './docker-engine.js';
import { labelFilters, podOf, type Labels, type NodeIdentity } from './docker-label.js';
import { jsonLines } from './json-lines.js';

const TYPES: Readonly<Record<string, RuntimeEvent['type']>> = {
  create: 'created',
  start: 'started',
  die: 'died',
  oom: 'oom',
  destroy: 'removed',
};

/** The engine's events of this node's containers from `sinceMs` on. */
export async function* dockerEvents(
  engine: DockerEngine,
  owner: NodeIdentity,
  sinceMs: number,
  signal: AbortSignal,
): AsyncGenerator<RuntimeEvent> {
  const filters = { type: ['container'], event: Object.keys(TYPES), label: labelFilters(owner) };
  const query = { filters: JSON.stringify(filters), since: (sinceMs / 1000).toFixed(3) };
  let stream: IncomingMessage | undefined;
  try {
    stream = await engine.open({ path: '/events', method: 'GET', query }, signal);
    for await (const line of jsonLines(stream)) {
      const event = eventOf(line);
      if (event) yield event;
    }
  } catch (error) {
    if (signal.aborted || isAbort(error)) return;
    throw toRuntimeError(error, engine.endpoint);
  } finally {
    stream?.destroy();
  }
  if (!signal.aborted) throw unavailable(engine.endpoint, 'its events ended');
}

function eventOf(line: Record<string, unknown>): RuntimeEvent | undefined {
  const { Action, Actor } = line as { Action?: string; Actor?: { ID?: string; Attributes?: Labels } };
  const type = TYPES[Action ?? ''];
  if (!type || !Actor?.ID) return undefined;
  return { pod: podOf(Actor.Attributes ?? {}), containerId: Actor.ID, type };
}
