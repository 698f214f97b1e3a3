import { dockerImages } from '../../shared/image/docker-images.js';
import { importImage } from '../../shared/image/import-image.js';
import { baseFiles, busyboxShell } from '../../shared/image/node-runtime.js';

/** The tests' own image: busybox alone, two megabytes. */
export const toolbox = 'knarr-test/toolbox:1';

/** Gives an engine the tests' image. */
export async function importToolbox(socket: string): Promise<void> {
  const files = [...busyboxShell(), ...baseFiles()];
  const config = { entrypoint: ['/bin/sh'], environment: { PATH: '/bin' } };
  await importImage({ docker: dockerImages(socket), repository: 'knarr-test/toolbox', tag: '1', files, config });
}
