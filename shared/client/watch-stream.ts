import type { Clock } from '../clock/clock.js';
import { StatusError, type StatusObject } from '../errors/status-error.js';
import type { Answer } from './answer.js';
import type { WatchEvent } from './client.js';

/** A watch line may not be longer than this: the largest object is 3 MiB. */
const maxLineBytes = 64 * 1024 * 1024;

/** The stream gave no byte for too long: the connection is taken for dead. */
class SilentWatchError extends Error {
  override readonly name = 'SilentWatchError';
}

export interface WatchStreamOptions {
  readonly clock: Clock;
  readonly silenceTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Turns the body of a watch into events. The body is read only as fast as events are taken. Ends when the body ends
 * in the usual way; throws a StatusError for an ERROR event, SilentWatchError, the signal's reason, or the stream's error.
 */
export async function* watchEvents<T>(response: Answer, options: WatchStreamOptions): AsyncGenerator<WatchEvent<T>> {
  for await (const line of lines(response, options)) yield parseEvent<T>(line);
}

function parseEvent<T>(line: string): WatchEvent<T> {
  const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Partial<StatusObject> };
  if (event.type === 'ERROR') throw StatusError.fromStatus(event.object, event.object.code ?? 500);
  return event;
}

async function* lines(response: Answer, options: WatchStreamOptions): AsyncGenerator<string> {
  const { clock, silenceTimeoutMs, signal } = options;
  const onAbort = (): void => response.destroy(signal?.reason as Error);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const chunks = response.chunks();
  let rest: Buffer[] = [];
  let restBytes = 0;
  try {
    for (;;) {
      // The timer runs only while we wait for the server, not while the consumer thinks.
      const cancelTimer = clock.schedule(silenceTimeoutMs, () => {
        response.destroy(new SilentWatchError(`watch: no byte for ${silenceTimeoutMs} ms`));
      });
      const { value: chunk, done } = await chunks.next().finally(cancelTimer);
      if (done) break;
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        const piece = chunk.subarray(start, end);
        start = end + 1;
        const line = rest.length === 0 ? piece : Buffer.concat([...rest, piece]);
        rest = [];
        restBytes = 0;
        if (line.length > 0) yield line.toString('utf8');
      }
      if (start < chunk.length) {
        rest.push(chunk.subarray(start));
        restBytes += chunk.length - start;
        if (restBytes > maxLineBytes) throw new Error(`watch: a line is longer than ${maxLineBytes} bytes`);
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    response.destroy();
  }
}
