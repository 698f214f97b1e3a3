import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { orderedFiles } from './image-file.js';
import type { ImageConfig, ImageFile } from './image-file.js';

/** Hashes of files read before, by path: several images share a Node binary of 100 MB. */
export type FileHashes = Map<string, Promise<string>>;

/** A SHA-256 in hex over every file's path, mode and content and over the configuration: equal means the same image. */
export async function contentHash(
  files: readonly ImageFile[],
  config: ImageConfig,
  known: FileHashes = new Map(),
): Promise<string> {
  const hash = createHash('sha256');
  for (const file of orderedFiles(files)) hash.update(`${JSON.stringify(await identity(file, known))}\n`);
  return hash.update(JSON.stringify(config)).digest('hex');
}

async function identity(file: ImageFile, known: FileHashes): Promise<unknown[]> {
  switch (file.kind) {
    case 'file': {
      let digest = known.get(file.source);
      if (digest === undefined) known.set(file.source, (digest = fileHash(file.source)));
      return [file.path, file.mode, await digest];
    }
    case 'bytes':
      return [file.path, file.mode, createHash('sha256').update(file.bytes).digest('hex')];
    case 'link':
      return [file.path, 'link', file.target];
    case 'directory':
      return [file.path, file.mode, 'directory'];
  }
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
