import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { ExitError } from '../failures.js';
import { explainText, UnknownField } from '../explain/explain.js';
import { booleanFlag } from '../flags.js';
import type { ResourceType } from '../resource-mapper.js';

interface ExplainFlags {
  recursive: boolean;
  apiVersion?: string;
  output: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('explain')
    .description('show the fields of a type')
    .usage('TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext] [flags]')
    .option('--api-version <version>', 'this group and version, e.g. apps/v1')
    .option('-o, --output <format>', 'plaintext', 'plaintext')
    .addOption(booleanFlag('-R, --recursive', 'names of all fields below'));
  host.bind<ExplainFlags>(command, runExplain);
}

async function runExplain(
  context: CommandContext,
  flags: ExplainFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const [word, ...more] = words;
  if (word === undefined)
    throw new Failure(
      'You must specify the type of resource to explain. Use "knarr api-resources" for a complete list of supported resources.',
    );
  if (more.length > 0) throw new Failure('We accept only this format: explain RESOURCE');
  if (flags.output !== 'plaintext') throw new Failure(`unrecognized format: ${flags.output}`);
  const { type, path } = await target(context, word, flags.apiVersion);
  const api = await context.api();
  try {
    context.terminal.stdout.write(await explainText(api.openApi, { type, path, isRecursive: flags.recursive }));
  } catch (error) {
    if (error instanceof UnknownField) context.print(error.head);
    throw error;
  }
}

/** `deployments.apps.spec.replicas` and `pods.spec`: a group may stand between the type and its fields. */
async function target(
  context: CommandContext,
  word: string,
  apiVersion: string | undefined,
): Promise<{ type: ResourceType; path: string[] }> {
  const mapper = await context.mapper();
  const steps = word.split('.').filter((step) => step !== '');
  for (let length = steps.length; length > 1; length--) {
    const type = mapper.find(steps.slice(0, length).join('.'));
    if (type && type.group !== '')
      return { type: versioned(type, apiVersion, mapper.types), path: steps.slice(length) };
  }
  const type = mapper.find(steps[0] ?? '');
  if (!type) {
    context.tell(`the server doesn't have a resource type "${steps[0] ?? ''}"`);
    throw new ExitError(1);
  }
  return { type: versioned(type, apiVersion, mapper.types), path: steps.slice(1) };
}

function versioned(type: ResourceType, apiVersion: string | undefined, types: readonly ResourceType[]): ResourceType {
  if (apiVersion === undefined) return type;
  const found = types.find((each) => each.kind === type.kind && each.apiVersion === apiVersion);
  if (!found) throw new Failure(`couldn't find resource for "${apiVersion}, Resource=${type.resource}"`);
  return found;
}
