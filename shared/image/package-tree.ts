import { existsSync, lstatSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ImageFile } from './image-file.js';
import { libraryFiles } from './node-runtime.js';
import type { Ldd } from './shared-libraries.js';

interface PackageDescription {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** Parts of a package that no program reads at run time. */
const SKIPPED = new RegExp(
  [
    /\.(md|d\.ts|d\.mts|d\.cts|map|ts|cc|h|gyp)$/.source,
    /^(LICENSE|src|install|test)$/.source,
    // Prebuilt native files for other systems; Debian's and Ubuntu's library is glibc.
    `^(android|darwin|win32|freebsd)-|^linux-(?!${process.arch}$)|\\.musl\\.node$`,
  ].join('|'),
);

/** The files of a folder, below `target` in the image. */
export function folderFiles(source: string, target: string, skipped?: RegExp): ImageFile[] {
  return readdirSync(source)
    .filter((name) => skipped?.test(name) !== true)
    .flatMap((name): ImageFile[] => {
      const path = join(source, name);
      const stat = lstatSync(path);
      if (stat.isDirectory()) return folderFiles(path, `${target}/${name}`, skipped);
      return [{ kind: 'file', path: `${target}/${name}`, source: path, mode: stat.mode & 0o111 ? 0o755 : 0o644 }];
    });
}

/**
 * An npm package that cannot be bundled, because it has native code, with everything it depends on as installed here,
 * under `target`/node_modules, and the system libraries that its native files need.
 */
export async function packageTree(options: {
  name: string;
  from: string;
  target: string;
  ldd?: Ldd;
}): Promise<ImageFile[]> {
  const folders = new Map<string, string>();
  collect(options.name, options.from, folders, false);
  const files = [...folders].flatMap(([name, folder]) =>
    folderFiles(folder, `${options.target}/node_modules/${name}`, SKIPPED),
  );
  const native = files.flatMap((file) =>
    file.kind === 'file' && /\.node$|\.so(\.\d+)*$/.test(file.path) ? [file.source] : [],
  );
  const libraries = await libraryFiles(native, options.ldd);
  // Libraries that come with the packages are found relative to the native file, and are in `files` already.
  const own = [...folders.values()];
  return [...files, ...libraries.filter((file) => !own.some((folder) => realpathSync(file.path).startsWith(folder)))];
}

function collect(name: string, from: string, folders: Map<string, string>, isOptional: boolean): void {
  if (folders.has(name)) return;
  const folder = installedFolder(name, from);
  if (folder === undefined) {
    if (isOptional) return;
    throw new Error(`the package ${name} is not installed: run "npm install"`);
  }
  folders.set(name, folder);
  const description = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageDescription;
  for (const dependency of Object.keys(description.dependencies ?? {})) collect(dependency, folder, folders, false);
  for (const dependency of Object.keys(description.optionalDependencies ?? {}))
    collect(dependency, folder, folders, true);
}

/** As Node looks for it: in node_modules of the folder and of each folder above. */
function installedFolder(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (folder === dirname(folder)) return undefined;
  }
}
