import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { FileHashes } from '../../shared/image/content-hash.js';
import { dockerImages } from '../../shared/image/docker-images.js';
import type { ImageConfig, ImageFile } from '../../shared/image/image-file.js';
import { importImage } from '../../shared/image/import-image.js';
import type { ImportedImage } from '../../shared/image/import-image.js';
import { NODE_PATH, baseFiles, busyboxShell, nodeRuntime } from '../../shared/image/node-runtime.js';
import { folderFiles, packageTree } from '../../shared/image/package-tree.js';
import { assetPath } from './assets.js';

const APP = '/app';
const NONROOT = '65532:65532';

interface DemoImage {
  repository: string;
  tag: string;
  files: ImageFile[];
  config: ImageConfig;
}

/** Builds the demo's images from this machine's Node and busybox, unless the engine has the same ones already. */
export async function buildDemoImages(options: {
  dockerSocket: string;
  log: (line: string) => void;
}): Promise<ImportedImage[]> {
  const docker = dockerImages(options.dockerSocket);
  const runtime = [...(await nodeRuntime()), ...busyboxShell(), ...baseFiles()];
  const fileHashes: FileHashes = new Map();
  const imported: ImportedImage[] = [];
  for (const image of [await modelServerImage(runtime), await gatewayImage(runtime), mlServingImage()]) {
    const result = await importImage({ docker, ...image, fileHashes });
    options.log(`${result.reference} ${result.isNew ? 'built' : 'is there already'}`);
    imported.push(result);
  }
  return imported;
}

async function modelServerImage(runtime: readonly ImageFile[]): Promise<DemoImage> {
  const folder = new URL('./model-server/', import.meta.url).href;
  const model = folderFiles(assetPath(folder, 'model'), `${APP}/model`, /^reference-inputs\.bin$/);
  return {
    repository: 'zoomcamp-10-model',
    tag: 'xception-v4-001',
    files: [...runtime, ...model, ...protocolFiles(), await bundle('./model-server/main', [])],
    config: nodeConfig(['8500/tcp', '8501/tcp']),
  };
}

async function gatewayImage(runtime: readonly ImageFile[]): Promise<DemoImage> {
  const folder = new URL('./gateway/', import.meta.url).href;
  const files = [
    ...runtime,
    ...folderFiles(assetPath(folder, 'page'), `${APP}/page`),
    ...folderFiles(assetPath(folder, 'samples'), `${APP}/samples`),
    ...protocolFiles(),
    ...(await packageTree({ name: 'sharp', from: dirname(fileURLToPath(import.meta.url)), target: APP })),
    await bundle('./gateway/main', ['sharp']),
  ];
  return { repository: 'zoomcamp-10-gateway', tag: '002', files, config: nodeConfig(['9696/tcp']) };
}

/** Two megabytes for the ten replicas of the first example: busybox's web server tells the pod's name. */
function mlServingImage(): DemoImage {
  // The first process of a container ignores SIGTERM unless it asks for it, and would be waited for in vain.
  const script = 'hostname >/www/index.html; httpd -f -p 80 -h /www & trap "kill $!; exit 0" TERM INT; wait $!';
  return {
    repository: 'ml-serving',
    tag: '1.0',
    files: [...busyboxShell(), ...baseFiles(), { kind: 'directory', path: '/www', mode: 0o755 }],
    config: { entrypoint: ['/bin/sh', '-c', script], environment: { PATH: '/bin' }, exposedPorts: ['80/tcp'] },
  };
}

function nodeConfig(exposedPorts: string[]): ImageConfig {
  return {
    entrypoint: [NODE_PATH, `${APP}/main.js`],
    environment: { PATH: '/usr/bin:/bin', NODE_ENV: 'production' },
    workingDirectory: APP,
    exposedPorts,
    user: NONROOT,
  };
}

function protocolFiles(): ImageFile[] {
  const folder = new URL('./protocol/', import.meta.url).href;
  return ['serving.proto', 'tensorflow.proto'].map((name) => ({
    kind: 'file',
    path: `${APP}/${name}`,
    source: assetPath(folder, name),
    mode: 0o644,
  }));
}

/** The program and its packages as one file. */
async function bundle(entry: string, external: string[]): Promise<ImageFile> {
  const compiled = fileURLToPath(new URL(`${entry}.js`, import.meta.url));
  const result = await build({
    entryPoints: [existsSync(compiled) ? compiled : fileURLToPath(new URL(`${entry}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minifyWhitespace: true,
    external,
    logLevel: 'silent',
    // Packages in the bundle that are CommonJS call require.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`the bundle of ${entry} is empty`);
  return { kind: 'bytes', path: `${APP}/main.js`, bytes: Buffer.from(output.contents), mode: 0o644 };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const dockerSocket = process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock';
  try {
    await buildDemoImages({ dockerSocket, log: (line) => process.stdout.write(`${line}\n`) });
  } catch (error) {
    process.stderr.write(`images: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
