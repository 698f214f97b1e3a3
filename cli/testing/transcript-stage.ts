import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { startTestServer, type TestServer } from '../../apiserver/testing/test-server.js';
import { formatTranscript, normalised, parseTranscript, type Step } from './transcript.js';

const folder = resolve('cli/testdata/transcripts');
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

/** A stock kubectl by its path, or this repository's own program. */
type Program = 'knarr' | { readonly kubectl: string };

/** A server, a home and a working directory for the commands of one transcript. */
class Stage {
  readonly #program: Program;
  readonly #server: TestServer;
  readonly #home: string;

  private constructor(program: Program, server: TestServer, home: string) {
    this.#program = program;
    this.#server = server;
    this.#home = home;
  }

  static async open(program: Program): Promise<Stage> {
    const home = mkdtempSync(join(tmpdir(), 'knarr-transcript-'));
    await mkdir(join(home, 'bin'));
    await mkdir(join(home, 'work'));
    const command = program === 'knarr' ? `${process.execPath} ${resolve('bin/knarr')}` : program.kubectl;
    await writeFile(
      join(home, 'bin', 'kubectl'),
      `#!/bin/sh
exec ${command} "$@"
`,
      { mode: 0o755 },
    );
    return new Stage(program, await startTestServer(), home);
  }

  async run({ command }: Step): Promise<string> {
    const child = spawn('bash', ['-c', `exec 2>&1; ${command}`], {
      cwd: join(this.#home, 'work'),
      env: {
        PATH: `${join(this.#home, 'bin')}:${process.env['PATH'] ?? ''}`,
        HOME: this.#home,
        KUBECONFIG: this.#server.kubeconfigPath,
        TZ: 'UTC',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 60_000,
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const exitCode = await new Promise<number>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done(code ?? -1));
    });
    const text = Buffer.concat(chunks).toString('utf8').trimEnd();
    const own = this.#program === 'knarr' ? text.replaceAll(/(?<!\+)knarr/g, 'kubectl') : text;
    const shown = exitCode === 0 ? own : `${own}\n[exit ${exitCode}]`;
    return normalised(shown.trimStart() === shown ? shown : shown.replace(/^\n/, ''));
  }

  async close(): Promise<void> {
    await this.#server.close();
    rmSync(this.#home, { recursive: true, force: true });
  }
}

const stepsOf = (file: string): Step[] => parseTranscript(readFileSync(join(folder, file), 'utf8'));

/** All commands of all transcripts. */
export const transcribedCommands = (): string[] => files.flatMap(stepsOf).map(({ command }) => command);

/** Mostly waits for what does not happen: begins first, beside the others. */
const slow = 'wait.txt';

/** Tests that a program prints what stands in the transcripts: some at a time, each with a server of its own. */
export function compareTranscripts(program: Program): void {
  const name = program === 'knarr' ? program : basename(program.kubectl);
  describe(`${name} and the transcripts`, { concurrency: 3 }, () => {
    for (const file of [slow, ...files.filter((each) => each !== slow)]) {
      test(`${name} prints ${file}`, async (t) => {
        const stage = await Stage.open(program);
        for (const step of stepsOf(file)) {
          if (program === 'knarr' && step.onlyKubectl !== undefined) continue;
          await t.test(step.command.split('\n')[0] ?? '', async () => {
            assert.equal(await stage.run(step), normalised(step.output));
          });
        }
        await stage.close();
      });
    }
  });
}

/** Writes the outputs anew from a stock kubectl. */
export function rewriteTranscripts(kubectl: string): void {
  for (const file of files) {
    test(`${file} is written anew`, async () => {
      const stage = await Stage.open({ kubectl });
      const steps: Step[] = [];
      for (const step of stepsOf(file)) steps.push({ ...step, output: await stage.run(step) });
      writeFileSync(join(folder, file), formatTranscript(steps));
      await stage.close();
    });
  }
}
