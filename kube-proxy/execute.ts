import { spawn } from 'node:child_process';

/** Runs a program with input and resolves with its output. Rejects with its last words when it fails or takes too long. */
export type Execute = (file: string, args: readonly string[], input?: string) => Promise<string>;

const timeoutMs = 60_000;
const wordsKept = 4_000;

/** Runs programs of this machine. */
export const systemExecute: Execute = (file, args, input = '') =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    });
    const output: Buffer[] = [];
    let words = '';
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      if (words.length < wordsKept) words += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(output).toString());
      else
        reject(
          new Error(`${file} ${args.join(' ')}: ${words.slice(0, wordsKept).trim() || `ended with ${signal ?? code}`}`),
        );
    });
    // A program that ends before it has read everything says why by itself.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
