import { stat } from 'node:fs/promises';

import type { DockerEngine } from './docker-engine.js';

/** As many as the request that makes a container asks for. */
const LOG_FILES = 5;

/** Bytes of a container's own layer and of its log; the latter only where the engine's files are visible. */
export async function dockerDiskBytes(engine: DockerEngine, containerId: string): Promise<number> {
  // The types of dockerode do not know the parameter; it passes on what it is given.
  const options = { size: true } as object;
  const inspected = await engine.call('measure container', (docker, abortSignal) =>
    docker.getContainer(containerId).inspect({ ...options, abortSignal }),
  );
  const { SizeRw = 0, LogPath = '' } = inspected as { SizeRw?: number; LogPath?: string };
  return SizeRw + (LogPath === '' ? 0 : await logBytes(LogPath));
}

async function logBytes(path: string): Promise<number> {
  const files = Array.from({ length: LOG_FILES }, (_, index) => (index === 0 ? path : `${path}.${index}`));
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
