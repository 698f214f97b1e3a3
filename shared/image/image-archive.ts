import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import type { Pack } from 'tar-stream';
import { orderedFiles } from './image-file.js';
import type { ImageFile } from './image-file.js';

/** The files as a tar stream, read from disk as fast as the reader takes them; times are zero, owner is root. */
export function imageArchive(files: readonly ImageFile[]): Readable {
  const archive = pack();
  write(archive, orderedFiles(files)).catch((error: unknown) => archive.destroy(error as Error));
  // tar-stream's streams are not Node's own; wrapping gives back-pressure and errors as Node's consumers expect them.
  return Readable.from(archive as AsyncIterable<Buffer>, { objectMode: false });
}

async function write(archive: Pack, files: readonly ImageFile[]): Promise<void> {
  const base = { mtime: new Date(0), uid: 0, gid: 0 };
  for (const file of files) {
    const name = file.path.replace(/^\//, '');
    switch (file.kind) {
      case 'directory':
        await entry(archive, { ...base, name: `${name}/`, type: 'directory', mode: file.mode });
        break;
      case 'link':
        await entry(archive, { ...base, name, type: 'symlink', linkname: file.target, mode: 0o777 });
        break;
      case 'bytes':
        await entry(archive, { ...base, name, mode: file.mode, size: file.bytes.length }, file.bytes);
        break;
      case 'file': {
        const { size } = await stat(file.source);
        const sink = archive.entry({ ...base, name, mode: file.mode, size });
        await pipeline(
          createReadStream(file.source, { highWaterMark: 256 * 1024 }),
          sink as unknown as NodeJS.WritableStream,
        );
        break;
      }
    }
  }
  archive.finalize();
}

async function entry(archive: Pack, header: Parameters<Pack['entry']>[0], bytes?: Buffer): Promise<void> {
  const sink = archive.entry(header);
  sink.end(bytes);
  await finished(sink as unknown as NodeJS.WritableStream);
}
