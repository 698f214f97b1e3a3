import { readFileSync } from 'node:fs';
import { Failure } from './cluster/failure.js';
import type { CommandContext } from './context.js';

export interface RawSending {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query on the server. */
  readonly path: string;
  /** Path of a file with the body, or `-`. */
  readonly file?: string;
}

/** `--raw`: one exchange with the server, and its answer as it comes. */
export async function sendRaw(context: CommandContext, { method, path, file }: RawSending): Promise<void> {
  if (!path.startsWith('/'))
    throw new Failure(`--raw must be a valid URL path: parse ${JSON.stringify(path)}: invalid URI for request`);
  const api = await context.api();
  const body = file === undefined ? undefined : file === '-' ? await readStdin(context) : readFileSync(file, 'utf8');
  const text = await api.text({ method, path, ...(body ? { body } : {}) });
  context.terminal.stdout.write(text);
}

const maxBytes = 64 * 1024 * 1024;

/** All of standard input. @throws Error beyond 64 MiB. */
async function readStdin({ terminal }: CommandContext): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of terminal.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`standard input is larger than ${maxBytes} bytes`);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}
