import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { goProgram } from '../../../e2e/lab/later-debian.js';
import { testFolder } from '../test-folder.js';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A small Go program around the libraries that Kubernetes itself is built from, in the versions that Debian packages:
 * it is compiled from the sources beside this file, and answers one request after the other.
 */
export class Oracle {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: Waiting[] = [];
  readonly #folder: string;

  private constructor(folder: string, program: string) {
    this.#folder = folder;
    this.#child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#waiting.shift()?.resolve(JSON.parse(line));
    });
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the oracle ended with ${code}`));
    });
  }

  /** Compiles and starts the program; it takes some seconds. */
  static start(): Oracle {
    const folder = testFolder('oracle');
    const program = goProgram('apiserver/testing/oracle', folder);
    return new Oracle(folder, program);
  }

  /** A file of the oracle's own folder, to hand it what is too big for a line. */
  file(name: string, content: Uint8Array | string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** @param request `ask` names the part that answers; see main.go */
  ask(request: { readonly ask: string; readonly [field: string]: unknown }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.stdin.end();
      await ended;
    }
    rmSync(this.#folder, { recursive: true });
  }
}
