import { readFileSync } from 'node:fs';
import { Failure } from '../cluster/failure.js';
import type { Command } from 'commander';
import {
  addFileFlags,
  addWriteFlags,
  windowsLineEndingsFlag,
  type FileFlags,
  type WriteFlags,
} from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { createFromFiles, createGenerated, type CreateFilesFlags, type CreateOptions } from '../create/create.js';
import { allGenerators } from '../create/all.js';
import { diskFiles } from '../create/disk-files.js';
import type { Generator } from '../create/generator.js';
import { createJobFrom } from '../create/job-from.js';
import { registerToken } from '../create/token.js';
import { booleanFlag } from '../flags.js';
import { sendRaw } from '../raw-request.js';

type FilesFlags = CreateFilesFlags & { raw?: string };
type Flags = FileFlags & WriteFlags & CreateOptions;

export function register(program: Command, host: CommandHost): void {
  const create = program
    .command('create')
    .description('create objects from manifests or from flags')
    .usage('-f FILENAME | TYPE NAME [flags]')
    .option('-l, --selector <query>', 'only objects of the files with these labels')
    .option('--raw <path>', 'send the file to this path of the server as it is');
  addFileFlags(create)
    .addOption(booleanFlag('--save-config', 'note the manifest for a later apply'))
    .addOption(booleanFlag('--edit', 'show the objects in an editor first'))
    .addOption(windowsLineEndingsFlag());
  host.bind<FilesFlags>(addWriteFlags(create), async (context, flags, { words }) => {
    if (flags.raw === undefined) return createFromFiles(context, flags, words);
    const [file] = flags.filename ?? [];
    if (file === undefined) throw new Failure('must specify one of -f and -k');
    return sendRaw(context, { method: 'POST', path: flags.raw, file });
  });
  const groups = new Map<string, Command>();
  for (const generator of allGenerators) registerGenerator(create, generator, groups, host);
  registerToken(create, host);
}

const groupAliases: Readonly<Record<string, string[]>> = { service: ['svc'], secret: [] };

function registerGenerator(
  create: Command,
  generator: Generator,
  groups: Map<string, Command>,
  host: CommandHost,
): void {
  const { path, description, aliases = [], flags = (each: Command) => each } = generator;
  const [first = '', second] = path;
  let parent = create;
  if (second !== undefined) {
    parent =
      groups.get(first) ??
      create
        .command(first)
        .aliases(groupAliases[first] ?? [])
        .description(`a ${first}`);
    groups.set(first, parent);
  }
  const command = addWriteFlags(
    parent
      .command(second ?? first)
      .aliases([...aliases])
      .description(description)
      .usage('NAME [flags]'),
  ).addOption(booleanFlag('--save-config', 'note the manifest for a later apply'));
  host.bind<Flags>(flags(command), async (context, given, { words, dashAt }) => {
    if (first === 'job' && (given as { from?: string }).from !== undefined) {
      await createJobFrom(context, given, words, (given as { from?: string }).from ?? '');
      return;
    }
    const at = dashAt ?? words.length;
    const object = generator.object({
      words: words.slice(0, at),
      command: words.slice(at),
      flags: given as never,
      files: diskFiles((path) => readFileSync(path)),
      namespace: await context.namespace(),
      mapper: await context.mapper(),
    });
    await createGenerated(context, given, object);
  });
}
