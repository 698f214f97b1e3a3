import type { Writable } from 'node:stream';

import { BoundedOutput } from '../bounded-output.js';
import type { LogOptions } from '../container-runtime.js';
import { toRuntimeError } from './docker-error.js';
import type { DockerEngine } from './docker-engine.js';
import { FrameParser } from './docker-stream.js';

const NEWLINE = 0x0a;

/** Copies a container's log as kubectl logs shows it. */
export async function dockerLogs(
  engine: DockerEngine,
  container: { readonly id: string; readonly tty: boolean },
  options: LogOptions,
  stdout: Writable,
): Promise<void> {
  const { follow, timestamps, tailLines, sinceMs, limitBytes, stream: only, signal } = options;
  const query = {
    stdout: only !== 'stderr',
    stderr: only !== 'stdout',
    follow,
    timestamps,
    ...(tailLines === undefined ? {} : { tail: tailLines }),
    ...(sinceMs === undefined ? {} : { since: (sinceMs / 1000).toFixed(3) }),
  };
  const request = { path: `/containers/${container.id}/logs`, method: 'GET', query } as const;
  const log = await engine.open(request, signal).catch((error: unknown) => {
    if (signal?.aborted) return undefined;
    throw error;
  });
  if (!log) return;
  const output = new BoundedOutput(stdout, limitBytes);
  const close = (): void => void log.destroy();
  stdout.on('close', close);
  try {
    if (container.tty) {
      for await (const chunk of log) await copyUntilFull(output, [chunk as Buffer], close);
      return;
    }
    const parser = new LogParser(timestamps);
    for await (const chunk of log) await copyUntilFull(output, parser.push(chunk as Buffer), close);
  } catch (error) {
    if (output.full || signal?.aborted || stdout.destroyed) return;
    throw toRuntimeError(error, engine.endpoint);
  } finally {
    stdout.off('close', close);
    log.destroy();
  }
}

async function copyUntilFull(output: BoundedOutput, pieces: Iterable<Buffer>, close: () => void): Promise<void> {
  for (const piece of pieces) await output.write(piece);
  if (output.full) close();
}

/**
 * Docker cuts lines of more than 16 KB into several entries and puts a timestamp before each: all but the first of a line
 * are taken out.
 */
class LogParser {
  readonly #frames = new FrameParser();
  readonly #hasTimestamps: boolean;
  readonly #isInLine = { stdout: false, stderr: false };
  #isSkipping = false;

  constructor(hasTimestamps: boolean) {
    this.#hasTimestamps = hasTimestamps;
  }

  *push(chunk: Buffer): Generator<Buffer> {
    for (const { stream, data, begins } of this.#frames.push(chunk)) {
      if (begins) this.#isSkipping = this.#hasTimestamps && this.#isInLine[stream];
      const text = this.#isSkipping ? this.#afterTimestamp(data) : data;
      this.#isInLine[stream] = data[data.length - 1] !== NEWLINE;
      yield text;
    }
  }

  #afterTimestamp(data: Buffer): Buffer {
    const space = data.indexOf(0x20);
    if (space < 0) return Buffer.alloc(0);
    this.#isSkipping = false;
    return data.subarray(space + 1);
  }
}
