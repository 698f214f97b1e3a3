/** The parts of `process` that a main file needs; an argument so that tests can play the process. */
export interface ProcessLike {
  on(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  off(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  readonly stderr: { write(text: string): unknown };
  exitCode?: number | string | null | undefined;
  exit(code: number): void;
}

/**
 * Runs a component's main until SIGTERM or SIGINT, which abort the signal: exit code 0. A failure is told in one
 * sentence on stderr: exit code 1. A second signal, or `graceMs` after the first, ends the process at once.
 */
export async function runProcess(
  run: (signal: AbortSignal) => Promise<void>,
  host: ProcessLike = process,
  graceMs = 30_000,
): Promise<void> {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      host.exit(1);
      return;
    }
    controller.abort();
    setTimeout(() => host.exit(1), graceMs).unref();
  };
  host.on('SIGTERM', onSignal);
  host.on('SIGINT', onSignal);
  try {
    await run(controller.signal);
    host.exitCode = 0;
  } catch (error) {
    if (controller.signal.aborted && isAbortError(error)) {
      host.exitCode = 0;
    } else {
      host.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      host.exitCode = 1;
    }
  } finally {
    host.off('SIGTERM', onSignal);
    host.off('SIGINT', onSignal);
  }
}

// Leaves import nothing of ours, so the predicate of shared/errors is spelt out here.
function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
