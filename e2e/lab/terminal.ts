import { resolve } from 'node:path';
import type { Host } from './host.js';

/** Waits for `expect` in the output behind what the step before found, and for raw mode; then resizes the window, and types. */
export interface TerminalStep {
  /** A regular expression of Python. */
  readonly expect?: string;
  readonly raw?: boolean;
  readonly resize?: readonly [rows: number, columns: number];
  readonly send?: string;
}

export interface TerminalResult {
  /** All that the terminal showed, its line ends as programs write them. */
  readonly output: string;
  /** The exit code; a signal's number below zero. */
  readonly code: number;
  /** Whether the terminal's settings are what they were before. */
  readonly restored: boolean;
}

const driver = resolve('e2e/lab/terminal.py');

/** Runs a program of a host on a pseudo-terminal of 24 lines and 80 columns, and talks with it. Throws when an answer does not come. */
export async function onTerminal(
  host: Host,
  argv: readonly string[],
  steps: readonly TerminalStep[],
  { timeoutSeconds = 60, env = {} }: { readonly timeoutSeconds?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<TerminalResult> {
  const order = { argv, rows: 24, columns: 80, timeout: timeoutSeconds, steps };
  const input = JSON.stringify(order);
  const timeoutMs = (timeoutSeconds + 10) * 1_000;
  const { stdout } = await host.run(['python3', driver], { input, timeoutMs, env });
  const result = JSON.parse(stdout) as TerminalResult & { readonly failure?: string };
  if (result.failure !== undefined) throw new Error(`${argv.join(' ')}: ${result.failure}`);
  return { ...result, output: result.output.replaceAll('\r\n', '\n') };
}
