import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Prints what the dynamic loader would load for a program, as `ldd FILE` does. */
export type Ldd = (file: string) => Promise<string>;

/** The machine's own ldd. */
export const systemLdd: Ldd = async (file) => {
  try {
    return (await promisify(execFile)('ldd', [file])).stdout;
  } catch (error) {
    // A static program is not an error: ldd says so and exits with 1.
    if (error instanceof Error && 'stderr' in error && /not a dynamic executable/.test(String(error.stderr))) return '';
    throw error;
  }
};

/** The paths of the libraries in ldd's output; throws with the name of one that is missing. */
export function parseLdd(text: string): string[] {
  const paths: string[] = [];
  for (const line of text.split('\n')) {
    const missing = /^\s*(\S+) => not found/.exec(line);
    if (missing?.[1] !== undefined) throw new Error(`the library ${missing[1]} is not on this machine`);
    const found = /^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)/.exec(line);
    if (found?.[1] !== undefined) paths.push(found[1]);
  }
  return paths;
}
