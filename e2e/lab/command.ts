import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
  /** Codes other than 0 that do not throw. */
  readonly accept?: readonly number[];
}

const outputLimit = 16 * 1024 * 1024;

/** Runs a command to its end, bounded in time and output. Throws with both outputs on an unaccepted exit code. */
export function command(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file = '', ...args] = argv;
  const { timeoutMs = 60_000, accept = [] } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: options.env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    const keep = (into: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size <= outputLimit) into.push(chunk);
    };
    child.stdout.on('data', keep(out));
    child.stderr.on('data', keep(err));
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(timer);
      const result = {
        code: exitCode ?? -1,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      };
      if (!isLate && (result.code === 0 || accept.includes(result.code))) resolve(result);
      else
        reject(
          new Error(
            `${argv.join(' ')}: ${isLate ? `no end within ${timeoutMs} ms` : `exit code ${result.code}`}\n${result.stdout}${result.stderr}`,
          ),
        );
    });
    // A command that does not read its input closes the pipe early: that is no failure.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
