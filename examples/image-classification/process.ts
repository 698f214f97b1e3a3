/** Starts a server and stops it once on SIGTERM or SIGINT; exits 1 with one sentence when it cannot start. */
export async function runUntilSignal(program: string, start: () => Promise<{ stop(): Promise<void> }>): Promise<void> {
  try {
    const server = await start();
    const stop = (): void => {
      server.stop().then(
        () => process.exit(0),
        (error: unknown) => fail(program, error),
      );
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  } catch (error) {
    fail(program, error);
  }
}

function fail(program: string, error: unknown): never {
  process.stderr.write(`${program}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
