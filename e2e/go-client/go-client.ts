import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { testFolder } from '../../apiserver/testing/test-folder.js';
import { goProgram } from '../lab/later-debian.js';

/** What one check of the program found. */
export interface Finding {
  readonly check: string;
  readonly milliseconds: number;
  /** What is not as it must be; undefined when all is. */
  readonly failure?: string;
}

/** What a suite of the program is told; main.go says what each means. */
export interface Settings {
  readonly [name: string]: unknown;
}

export interface SuiteOptions {
  readonly settings?: Settings;
  /** Variables of the environment, such as those that turn features of client-go on and off. */
  readonly env?: Readonly<Record<string, string>>;
  /** Answers what the program asks. */
  readonly answer?: (question: Readonly<Record<string, unknown>>) => unknown;
}

/** The program beside this file, compiled against client-go as Debian packages it. */
export class GoClient {
  /** For files of the program and of those who run it. */
  readonly folder: string;
  readonly #program: string;

  private constructor(folder: string, program: string) {
    this.folder = folder;
    this.#program = program;
  }

  /** Compiles the program: some seconds, or a minute when nothing of client-go was compiled before. */
  static compile(): GoClient {
    const folder = testFolder('go-client');
    return new GoClient(folder, goProgram('e2e/go-client', folder));
  }

  /** Runs a suite and gives what its checks find, one after the other. @throws where the program does not end well */
  async *run(suite: string, { settings = {}, env = {}, answer }: SuiteOptions = {}): AsyncGenerator<Finding> {
    const child = spawn(this.#program, [suite, JSON.stringify({ ...settings, folder: this.folder })], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], HOME: this.folder, ...env },
    });
    const ended = once(child, 'close');
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const said = JSON.parse(line) as Finding & Readonly<Record<string, unknown>>;
        if (typeof said.check === 'string') yield said;
        else child.stdin.write(`${JSON.stringify(answer?.(said))}\n`);
      }
    } finally {
      child.kill('SIGKILL');
    }
    const [code, signal] = (await ended) as [number | null, string | null];
    if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the suite ${suite} ended with ${code}`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
