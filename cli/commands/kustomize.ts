import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import { buildKustomization } from '../kustomize/build.js';
import { formatManifest } from '../../shared/manifest/format.js';

interface KustomizeFlags {
  output?: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('kustomize')
    .description('print the objects of a kustomization')
    .usage('DIR [flags]')
    .option('-o, --output <file>', 'write them to a file instead');
  host.bind<KustomizeFlags>(command, (context, { output }, { words }) => {
    if (words.length > 1) throw new Failure('specify one path to kustomization.yaml');
    const text = buildKustomization(words[0] ?? '.')
      .map(formatManifest)
      .join('---\n');
    if (output === undefined) context.terminal.stdout.write(text);
    else writeFileSync(output, text);
    return Promise.resolve();
  });
}
