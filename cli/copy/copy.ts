import { createWriteStream, mkdirSync, existsSync, statSync } from 'node:fs';
import { readdir, stat, lstat, readlink } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pack } from 'tar-stream';
import type { Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import type { CommandContext } from '../context.js';
import { ExitError } from '../failures.js';
import { chooseContainer } from '../streams/pod-target.js';
import { runRemoteCommand } from '../streams/remote-command.js';
import { localPath, parsePlace, type Place } from './place.js';

export interface CopyFlags {
  container?: string;
  /** Commander's name of --no-preserve: true when it is given. */
  preserve: boolean;
}

export async function runCopy(
  context: CommandContext,
  flags: CopyFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const [from, to, ...more] = words;
  if (from === undefined || to === undefined || more.length > 0)
    throw new Failure('source and destination are required');
  const [source, destination] = [parsePlace(from), parsePlace(to)];
  if (source.pod !== undefined && destination.pod !== undefined)
    throw new Failure('one of src or dest must be a local file specification');
  if (source.path === '' || destination.path === '') throw new Failure('filepath can not be empty');
  if (source.pod !== undefined) return copyFrom(context, flags, source, destination.path);
  if (destination.pod !== undefined) return copyTo(context, flags, source.path, destination);
  throw new Failure('one of src or dest must be a remote file specification');
}

interface Remote {
  /** Runs a command in the container; resolves with its exit code. */
  run(command: readonly string[], streams: { stdin?: Readable; stdout: Writable; stderr: Writable }): Promise<number>;
}

async function remoteOf(context: CommandContext, flags: CopyFlags, place: Place): Promise<Remote> {
  const [api, mapper, own, client] = await Promise.all([
    context.api(),
    context.mapper(),
    context.namespace(),
    context.client(),
  ]);
  const namespace = place.namespace ?? own;
  const type = mapper.resolve('pods');
  const pod = await api.json<Pod>({ path: resourcePath(type, namespace, place.pod ?? '') });
  const container = chooseContainer(pod, flags.container, (line) => context.tell(line));
  return {
    run: (command, { stdin, stdout, stderr }) => {
      const asked = command.map((word) => `command=${encodeURIComponent(word)}`).join('&');
      const query = `?${asked}&container=${encodeURIComponent(container)}&stdout=true&stderr=true${stdin ? '&stdin=true' : ''}`;
      const path = resourcePath(type, namespace, pod.metadata.name, 'exec') + query;
      const terminal = {
        ...context.terminal,
        stdin: stdin ?? Readable.from([]),
        stdout,
        stderr,
        signal: context.signal,
      };
      return runRemoteCommand({ client, path, withStdin: stdin !== undefined, isTty: false }, terminal);
    },
  };
}

async function copyTo(context: CommandContext, flags: CopyFlags, from: string, destination: Place): Promise<void> {
  if (!existsSync(from)) throw new Failure(`${from} doesn't exist in local filesystem`);
  const remote = await remoteOf(context, flags, destination);
  let target = destination.path.replace(/(.)\/+$/, '$1');
  const isDirectory =
    (await remote.run(['test', '-d', target], {
      stdout: new PassThrough().resume(),
      stderr: new PassThrough().resume(),
    })) === 0;
  if (isDirectory) target = posix.join(target, basename(from));
  const { default: tar } = await import('tar-stream');
  const archive = tar.pack();
  const filling = fill(archive, from, posix.basename(target)).then(() => archive.finalize());
  const keep = flags.preserve ? ['--no-same-permissions', '--no-same-owner'] : [];
  const command = ['tar', ...keep, '-xmf', '-', '-C', posix.dirname(target)];
  const exitCode = await remote.run(command, {
    stdin: Readable.from(archive),
    stdout: context.terminal.stdout,
    stderr: context.terminal.stderr,
  });
  await filling;
  checkEnd(context, exitCode);
}

function checkEnd(context: CommandContext, exitCode: number): void {
  if (exitCode === 0) return;
  context.tell(`command terminated with exit code ${exitCode}`);
  throw new ExitError(exitCode);
}

/** Adds a file, or a directory with all that is in it, as `name`. */
async function fill(archive: Pack, path: string, name: string): Promise<void> {
  const found = await lstat(path);
  const entry = { name, mode: found.mode & 0o7777, mtime: found.mtime };
  if (found.isSymbolicLink()) {
    archive.entry({ ...entry, type: 'symlink', linkname: await readlink(path) });
  } else if (found.isDirectory()) {
    archive.entry({ ...entry, type: 'directory' });
    for (const child of (await readdir(path)).sort()) await fill(archive, join(path, child), posix.join(name, child));
  } else if (found.isFile()) {
    const { size } = await stat(path);
    await pipeline(createReadStream(path), archive.entry({ ...entry, type: 'file', size }));
  }
}

async function copyFrom(context: CommandContext, flags: CopyFlags, source: Place, to: string): Promise<void> {
  const remote = await remoteOf(context, flags, source);
  const path = source.path.replace(/(.)\/+$/, '$1');
  const prefix = path.replace(/^\/+/, '');
  const { default: tar } = await import('tar-stream');
  const archive = tar.extract();
  let hasAdvised = false;
  const tellSkipped = (name: string, linkname: string): void => {
    const [from, pod, file] = [source.namespace ?? '', source.pod ?? '', source.path].map((word) =>
      JSON.stringify(word),
    );
    const advice = ` (consider using "knarr exec -n ${from} ${pod} -- tar cf - ${file} | tar xf -")`;
    context.tell(
      `warning: skipping symlink: ${JSON.stringify(name)} -> ${JSON.stringify(linkname)}${hasAdvised ? '' : advice}`,
    );
    hasAdvised = true;
  };
  const unpacking = (async (): Promise<void> => {
    for await (const entry of archive) {
      const { name, type } = entry.header;
      const target = localPath(name.replace(/^\/+|\/+$/g, ''), prefix, to);
      if (type === 'symlink' || type === 'link') tellSkipped(target ?? name, entry.header.linkname ?? '');
      else if (target === undefined)
        context.tell(`warning: file ${JSON.stringify(name)} is outside target destination, skipping`);
      if (target !== undefined && type === 'directory') mkdirSync(target, { recursive: true });
      if (target !== undefined && type === 'file') {
        if (existsSync(target) && statSync(target).isDirectory()) throw new Failure(`open ${target}: is a directory`);
        mkdirSync(dirname(target), { recursive: true });
        await pipeline(entry, createWriteStream(target, { mode: (entry.header.mode ?? 0o644) & 0o777 }));
      } else entry.resume();
    }
  })();
  const stdout = new PassThrough();
  stdout.pipe(archive);
  const packing = remote.run(['tar', 'cf', '-', path], { stdout, stderr: context.terminal.stderr });
  const [exitCode] = await Promise.all([packing.finally(() => stdout.end()), unpacking]);
  checkEnd(context, exitCode);
}
