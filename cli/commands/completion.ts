import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import { completionScripts } from '../completion/scripts.js';

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('completion')
    .description('print the completion of a shell: bash, zsh, fish or powershell')
    .usage('SHELL')
    .addHelpText('after', help);
  host.bind<object>(command, (context, _flags, { words }) => {
    const [shell, ...more] = words;
    if (shell === undefined) throw new Failure("Shell not specified.\nSee 'knarr completion -h' for help and examples");
    if (more.length > 0)
      throw new Failure(
        "Too many arguments. Expected only the shell type.\nSee 'knarr completion -h' for help and examples",
      );
    const script = new Map(Object.entries(completionScripts)).get(shell);
    if (script === undefined)
      throw new Failure(`Unsupported shell type "${shell}".\nSee 'knarr completion -h' for help and examples`);
    context.terminal.stdout.write(script);
    return Promise.resolve();
  });
}

const help = `
For this shell, or for all further ones by the same line in its start-up file:
  bash:        source <(knarr completion bash)
  zsh:         source <(knarr completion zsh)
  fish:        knarr completion fish | source
  powershell:  knarr completion powershell | Out-String | Invoke-Expression`;
