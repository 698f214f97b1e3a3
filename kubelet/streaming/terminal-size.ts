import type { Readable } from 'node:stream';

/** A size is some 30 bytes. */
const MAX_PENDING_LENGTH = 4096;
const MAX_SIDE = 65_535;

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** The resize stream: JSON objects `{"Width":80,"Height":24}` one after another. What cannot be read ends it. */
export async function* terminalSizes(stream: Readable): AsyncGenerator<TerminalSize> {
  let pending = '';
  for await (const chunk of stream) {
    pending += String(chunk);
    for (let end = pending.indexOf('}'); end >= 0; end = pending.indexOf('}')) {
      const size = parseSize(pending.slice(0, end + 1));
      pending = pending.slice(end + 1);
      if (!size) return void stream.resume();
      yield size;
    }
    if (pending.length > MAX_PENDING_LENGTH) return void stream.resume();
  }
}

function parseSize(text: string): TerminalSize | undefined {
  try {
    const { Width: width, Height: height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    return isSide(width) && isSide(height) ? { width, height } : undefined;
  } catch {
    return undefined;
  }
}

const isSide = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_SIDE;
