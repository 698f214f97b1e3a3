import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';

export function register(program: Command, host: CommandHost): void {
  const command = program.command('api-versions').description('print the API versions of the server');
  host.bind<object>(command, async (context, _flags, { words }) => {
    if (words.length > 0)
      throw new Failure(
        `unexpected arguments: [${words.join(' ')}]\nSee 'knarr api-versions -h' for help and examples`,
      );
    const versions = new Set((await context.mapper()).types.map((type) => type.apiVersion));
    context.print([...versions].sort().join('\n'));
  });
}
