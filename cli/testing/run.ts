import { PassThrough, Readable } from 'node:stream';
import { systemClock, type Clock } from '../../shared/clock/clock.js';
import { runKnarr } from '../program.js';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs one command line in this process. */
export async function run(
  argv: readonly string[],
  kubeconfig: string,
  stdin = '',
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<Outcome> {
  const [stdout, stderr] = [collector(), collector()];
  const exitCode = await runKnarr(argv, {
    stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { KUBECONFIG: kubeconfig, HOME: '/nonexistent' },
    clock,
    signal: new AbortController().signal,
  });
  return { stdout: stdout.text(), stderr: stderr.text(), exitCode };
}

function collector(): { stream: PassThrough; text: () => string } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}
