import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Clock } from '../clock/clock.js';
import { CallTimeoutError, ConnectionLostError } from './transport-errors.js';

/** Bodies beyond this are refused: no answer of an API server comes near. */
const maxBodyBytes = 512 * 1024 * 1024;

export interface AnswerHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** The head of an answer, and its body as it comes. Whoever has it reads or destroys it. */
export class Answer implements AnswerHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly #body: Readable;
  readonly #isComplete: () => boolean;

  /** `isComplete`: asked at the end of the body, since a stream that was cut may end like one that was not. */
  constructor(head: AnswerHead, body: Readable, isComplete: () => boolean) {
    this.status = head.status;
    this.headers = head.headers;
    this.#body = body;
    this.#isComplete = isComplete;
  }

  /** The whole body. Rejects with the signal's reason, a CallTimeoutError, or the Error of a connection that broke. */
  read(limits: { clock: Clock; timeoutMs: number; signal?: AbortSignal | undefined }): Promise<Buffer> {
    const { clock, timeoutMs, signal } = limits;
    const body = this.#body;
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      let isSettled = false;
      const onAbort = (): void => void body.destroy(signal?.reason as Error);
      const cancelTimer =
        timeoutMs > 0
          ? clock.schedule(timeoutMs, () => {
              body.destroy(new CallTimeoutError(`the answer was not complete within ${timeoutMs} ms`));
            })
          : () => undefined;
      const settle = (): void => {
        isSettled = true;
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error?: Error): void => {
        if (isSettled) return;
        settle();
        reject(error ?? cut());
      };
      // Events, not an iterator: answers are many and most are small.
      body.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxBodyBytes) chunks.push(chunk);
        else body.destroy(new Error(`the answer is larger than ${maxBodyBytes} bytes`));
      });
      body.once('end', () => {
        if (!this.#isComplete()) return fail();
        settle();
        resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
      });
      body.once('error', fail);
      body.once('close', () => fail());
      if (body.destroyed) fail();
      else if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** The body in pieces, at the consumer's pace. Throws what {@link destroy} was given, or the Error of a connection that broke. */
  async *chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of this.#body as AsyncIterable<Buffer>) yield chunk;
    if (!this.#isComplete()) throw cut();
  }

  /** Once the body has been read or destroyed. */
  onClose(listener: () => void): void {
    if (this.#body.closed) listener();
    else this.#body.once('close', listener);
  }

  /** Ends it, with or without a reason for who reads. */
  destroy(reason?: Error): void {
    this.#body.destroy(reason);
  }
}

const cut = (): Error => new ConnectionLostError('the connection was closed before the answer was complete');
