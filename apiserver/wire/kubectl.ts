import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { testFolder } from '../testing/test-folder.js';

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The stock kubectl of this machine against a server under test, with a home of its own. */
export interface Kubectl {
  run(...args: readonly string[]): Promise<KubectlResult>;
  /** With `input` as its standard input. */
  feed(input: string, ...args: readonly string[]): Promise<KubectlResult>;
  close(): Promise<void>;
}

const timeoutMs = 60_000;

export async function kubectlFor(kubeconfigPath: string): Promise<Kubectl> {
  const home = testFolder('kubectl');
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: kubeconfigPath };
  const feed = (input: string, ...args: readonly string[]): Promise<KubectlResult> =>
    new Promise((resolve, reject) => {
      const options = { env, timeout: timeoutMs, maxBuffer: 2 ** 25 };
      const child = execFile('kubectl', [...args], options, (error, stdout, stderr) => {
        // Not started, or killed: there is no exit code then.
        if (error && typeof error.code !== 'number') reject(error);
        else resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
      child.stdin?.end(input);
    });
  return {
    run: (...args) => feed('', ...args),
    feed,
    close: () => rm(home, { recursive: true, force: true }),
  };
}
