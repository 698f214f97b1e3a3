import { contentHash } from './content-hash.js';
import type { FileHashes } from './content-hash.js';
import type { DockerImages } from './docker-images.js';
import { imageArchive } from './image-archive.js';
import type { ImageConfig, ImageFile } from './image-file.js';

/** The label that holds an image's content hash. */
export const CONTENT_HASH_LABEL = 'knarr.dev/content-hash';

const TAG_LENGTH = 12;

export interface ImportedImage {
  /** Repository and tag, as a pod names it. */
  reference: string;
  contentHash: string;
  /** False when the engine had the same image already. */
  isNew: boolean;
}

/**
 * Makes the image `repository:tag` of the files, unless the engine has one of the same content under that name.
 * Without a tag, the first characters of the content hash are the tag.
 */
export async function importImage(options: {
  docker: DockerImages;
  repository: string;
  tag?: string;
  files: readonly ImageFile[];
  config: ImageConfig;
  /** Shared by several images to read common files once. */
  fileHashes?: FileHashes;
}): Promise<ImportedImage> {
  const { docker, repository, files } = options;
  const hash = await contentHash(files, options.config, options.fileHashes);
  const tag = options.tag ?? hash.slice(0, TAG_LENGTH);
  if (tag === 'latest')
    throw new Error(`${repository}:latest would be pulled from a registry at every start; choose another tag`);
  const image = { reference: `${repository}:${tag}`, contentHash: hash };
  const labels = await docker.labels(image.reference);
  if (labels?.[CONTENT_HASH_LABEL] === hash) return { ...image, isNew: false };
  const config = { ...options.config, labels: { ...options.config.labels, [CONTENT_HASH_LABEL]: hash } };
  await docker.importArchive({ repository, tag, config, archive: imageArchive(files) });
  return { ...image, isNew: true };
}
