import type { Command } from 'commander';
import { version as clientVersion } from '../../shared/api/version.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { booleanFlag } from '../flags.js';
import { Failure } from '../cluster/failure.js';

interface VersionFlags {
  client: boolean;
  output?: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('version')
    .description('print the versions of client and server')
    .option('-o, --output <format>', 'json or yaml')
    .addOption(booleanFlag('--client', 'only of the client'));
  host.bind<VersionFlags>(command, runVersion);
}

async function runVersion(context: CommandContext, { client, output }: VersionFlags): Promise<void> {
  if (output !== undefined && output !== 'json' && output !== 'yaml') {
    throw new Failure(`--output must be 'yaml' or 'json'`);
  }
  const ask = async (): Promise<{ gitVersion: string }> => (await context.api()).json({ path: '/version' });
  let serverVersion: { gitVersion: string } | undefined;
  let failure: unknown;
  if (!client) {
    serverVersion = await ask().catch((error: unknown) => {
      failure = error;
      return undefined;
    });
  }
  const versions = { clientVersion, ...(serverVersion ? { serverVersion } : {}) };
  if (output === 'json') context.print(JSON.stringify(versions, undefined, 2));
  else if (output === 'yaml') {
    const { formatManifest } = await import('../../shared/manifest/format.js');
    context.print(formatManifest(versions).trimEnd());
  } else {
    context.print(`Client Version: ${clientVersion.gitVersion}`);
    if (serverVersion) context.print(`Server Version: ${serverVersion.gitVersion}`);
  }
  if (failure !== undefined) throw failure;
}
