import type { Command } from 'commander';
import type { CommandHost } from '../command-host.js';

export function register(program: Command, host: CommandHost): void {
  const command = program.command('api-versions').description('print the API versions of the server');
  host.bind<object>(command, async (context) => {
    const versions = new Set((await context.mapper()).types.map((type) => type.apiVersion));
    context.print([...versions].sort().join('\n'));
  });
}
