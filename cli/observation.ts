import { resourcePath } from '../shared/api/resource.js';
import { isAbort, isExpired } from '../shared/errors/status-error.js';
import type { CommandContext } from './context.js';
import type { ObjectReference } from './found-objects.js';
import { queryText, type AnyObject } from './server-api.js';

/** The time that the person gave is over. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout';

  constructor() {
    super('timed out waiting for the condition');
  }
}

/**
 * States of one object, first what it is now, then after each change; undefined while it does not exist. Lists and watches again when a
 * watch ends. Never ends by itself; throws WaitTimeout when `timeoutMs` is over (0 or less: never).
 */
export async function* observe(
  context: CommandContext,
  reference: ObjectReference,
  timeoutMs: number,
): AsyncGenerator<AnyObject | undefined> {
  const timeout = new AbortController();
  const cancel = timeoutMs > 0 ? context.clock.schedule(timeoutMs, () => timeout.abort()) : (): void => undefined;
  const signal = AbortSignal.any([context.signal, timeout.signal]);
  try {
    for (;;) yield* oneWatch(context, reference, signal);
  } catch (error) {
    if (timeout.signal.aborted && isAbort(error)) throw new WaitTimeout();
    throw error;
  } finally {
    cancel();
    timeout.abort();
  }
}

async function* oneWatch(
  context: CommandContext,
  { type, name, namespace }: ObjectReference,
  signal: AbortSignal,
): AsyncGenerator<AnyObject | undefined> {
  const [api, client] = await Promise.all([context.api(), context.client()]);
  signal.throwIfAborted();
  const path = resourcePath(type, namespace);
  const fieldSelector = `metadata.name=${name}`;
  const list = await api.json({ path, query: { fieldSelector } });
  yield ((list['items'] as AnyObject[] | undefined) ?? [])[0];
  const { resourceVersion } = list.metadata;
  const query = { fieldSelector, watch: true, resourceVersion };
  try {
    for await (const event of client.watchPath<AnyObject>(path + queryText(query), { signal })) {
      if (event.type !== 'BOOKMARK') yield event.type === 'DELETED' ? undefined : event.object;
    }
  } catch (error) {
    if (!isExpired(error)) throw error;
  }
  // A server that ends each watch at once must not be asked without a pause.
  await context.clock.sleep(100, signal);
}
