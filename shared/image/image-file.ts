/** One entry of an image's root filesystem; `path` is absolute, as seen in the container. */
export type ImageFile =
  | { kind: 'file'; path: string; source: string; mode: number }
  | { kind: 'bytes'; path: string; bytes: Buffer; mode: number }
  | { kind: 'link'; path: string; target: string }
  | { kind: 'directory'; path: string; mode: number };

/** How a container of the image starts, in the words of a Dockerfile. */
export interface ImageConfig {
  entrypoint: string[];
  command?: string[];
  environment?: Record<string, string>;
  workingDirectory?: string;
  /** For example `9696/tcp`. */
  exposedPorts?: string[];
  labels?: Record<string, string>;
  user?: string;
}

/** A text file of the image, readable by all. */
export function textFile(path: string, text: string): ImageFile {
  return { kind: 'bytes', path, bytes: Buffer.from(text), mode: 0o644 };
}

/**
 * Sorts by path and drops repetitions, the last one winning, so that the same files always give the same archive and
 * the same hash whatever the order in which they were collected.
 */
export function orderedFiles(files: readonly ImageFile[]): ImageFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return [...byPath.values()].toSorted((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0));
}
