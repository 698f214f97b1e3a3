import { build } from 'esbuild';
import { dockerImages } from '../../shared/image/docker-images.js';
import { textFile } from '../../shared/image/image-file.js';
import { importImage } from '../../shared/image/import-image.js';
import { baseFiles, busyboxShell, NODE_PATH, nodeRuntime } from '../../shared/image/node-runtime.js';

/** The tests' own image: busybox alone, two megabytes. */
export const toolbox = 'knarr-test/toolbox:1';

/** Gives an engine the tests' image. */
export async function importToolbox(socket: string): Promise<void> {
  const files = [...busyboxShell(), ...baseFiles()];
  const config = { entrypoint: ['/bin/sh'], environment: { PATH: '/bin' } };
  await importImage({ docker: dockerImages(socket), repository: 'knarr-test/toolbox', tag: '1', files, config });
}

/** Gives an engine an image of a Node program of the tests, with all that it imports in one file. Resolves with its name. */
export async function importProgram(socket: string, name: string, entryPoint: string): Promise<string> {
  const bundled = await build({
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    // CommonJS packages inside the bundle call require().
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  const program = textFile(`/app/${name}.mjs`, bundled.outputFiles[0]?.text ?? '');
  const files = [...(await nodeRuntime()), ...busyboxShell(), ...baseFiles(), program];
  const config = { entrypoint: [NODE_PATH, program.path], environment: { PATH: '/usr/bin:/bin' } };
  const repository = `knarr-test/${name}`;
  return (await importImage({ docker: dockerImages(socket), repository, files, config })).reference;
}
