import { Option, type Command } from 'commander';
import { Failure } from './cluster/failure.js';
import type { GlobalFlags } from './flags.js';
import { booleanFlag, listFlag } from './flags.js';
import { kustomizationSource } from './kustomize/source.js';
import { addPrintFlags, type PrintFlags } from './print-flags.js';

export interface FileFlags extends GlobalFlags {
  filename?: string[];
  recursive: boolean;
}

/** -f, -k and -R. */
export function addFileFlags(command: Command): Command {
  return addKustomizeFlag(command)
    .addOption(listFlag('-f, --filename <file>', 'file, directory or - with manifests; may be repeated'))
    .addOption(booleanFlag('-R, --recursive', 'look into subdirectories of -f'));
}

/** -k: a folder whose kustomization is built and stands for what -f would have named. */
export function addKustomizeFlag(command: Command): Command {
  command.option('-k, --kustomize <directory>', 'directory with a kustomization, instead of -f');
  return command.hook('preAction', () => {
    const { kustomize, filename } = command.opts<{ kustomize?: string; filename?: string[] }>();
    if (kustomize === undefined) return;
    if (filename) throw new Failure('only one of -f or -k can be specified');
    command.setOptionValue('filename', [kustomizationSource(kustomize)]);
  });
}

export interface WriteFlags extends GlobalFlags, PrintFlags {
  dryRun: string;
  fieldManager?: string;
  validate: string;
}

/** Flags of commands that create or change objects. */
export function addWriteFlags(command: Command): Command {
  return addPrintFlags(command)
    .addOption(validateFlag())
    .addOption(dryRunFlag())
    .option('--field-manager <name>', 'name under which the server notes the change');
}

export const validateFlag = (): Option =>
  new Option('--validate [mode]', 'strict, warn or ignore unknown fields').preset('strict').default('strict');

export const windowsLineEndingsFlag = (): Option =>
  booleanFlag('--windows-line-endings', 'end the lines of what is edited as Windows does');

export function dryRunFlag(): Option {
  return new Option('--dry-run [strategy]', 'none, server or client: do not change anything')
    .preset('client')
    .default('none');
}

export type DryRun = 'none' | 'client' | 'server';

export function dryRunOf(flag: string): DryRun {
  if (flag === 'none' || flag === 'client' || flag === 'server') return flag;
  if (flag === 'false') return 'none';
  throw new Failure(`Invalid dry-run value (${flag}). Must be "none", "server", or "client".`);
}

/** ` (dry run)`, ` (server dry run)`: the end of a message. */
export const dryRunSuffix = (dryRun: DryRun): string =>
  dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : '';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export function fieldValidationOf(flag: string): FieldValidation {
  const modes: Readonly<Record<string, FieldValidation>> = {
    strict: 'Strict',
    true: 'Strict',
    warn: 'Warn',
    ignore: 'Ignore',
    false: 'Ignore',
  };
  const mode = modes[flag.toLowerCase()];
  if (!mode) {
    throw new Failure(`invalid - validate option "${flag}"; must be one of: strict (or true), warn, ignore (or false)`);
  }
  return mode;
}
