import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { startTestServer, type TestServer } from '../apiserver/testing/test-server.js';
import { stockKubectl } from './testing/stock-kubectl.js';
import { formatTranscript, normalised, parseTranscript, type Step } from './testing/transcript.js';

// What kubectl prints, as text that people can read, run with kubectl and with knarr against a server each. With
// TRANSCRIPTS_REWRITE=1 the outputs are written anew from stock kubectl, to be read by eye before they are kept.
const folder = resolve('cli/testdata/transcripts');
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
const isRewriting = process.env['TRANSCRIPTS_REWRITE'] !== undefined;
const least = 150;

type Program = 'kubectl' | 'knarr';

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
    const command = program === 'knarr' ? `${process.execPath} ${resolve('bin/knarr')}` : stockKubectl();
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

if (isRewriting) {
  for (const file of files) {
    test(`${file} is written anew`, async () => {
      const stage = await Stage.open('kubectl');
      const steps: Step[] = [];
      for (const step of parseTranscript(readFileSync(join(folder, file), 'utf8'))) {
        steps.push({ ...step, output: await stage.run(step) });
      }
      writeFileSync(join(folder, file), formatTranscript(steps));
      await stage.close();
    });
  }
} else {
  for (const program of ['kubectl', 'knarr'] as const) {
    for (const file of files) {
      test(`${program} prints ${file}`, async (t) => {
        const stage = await Stage.open(program);
        for (const step of parseTranscript(readFileSync(join(folder, file), 'utf8'))) {
          if (program === 'knarr' && step.onlyKubectl !== undefined) continue;
          await t.test(step.command.split('\n')[0] ?? '', async () => {
            assert.equal(await stage.run(step), normalised(step.output));
          });
        }
        await stage.close();
      });
    }
  }
}

test(`the transcripts hold at least ${least} commands`, () => {
  const steps = files.flatMap((file) => parseTranscript(readFileSync(join(folder, file), 'utf8')));
  assert.ok(steps.filter(({ command }) => command.includes('kubectl')).length >= least);
});
