import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import { commandIndex } from '../command-index.js';
import type { CommandHost } from '../command-host.js';

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('completion')
    .description('print the completion of a shell; for bash: source <(knarr completion bash)')
    .usage('bash');
  host.bind<object>(command, (context, _flags, { words }) => {
    const [shell, ...more] = words;
    if (shell === undefined) throw new Failure("Shell not specified.\nSee 'knarr completion -h' for help and examples");
    if (more.length > 0) throw new Failure('Too many arguments. Expected only the shell type.');
    if (shell !== 'bash') throw new Failure(`Unsupported shell type "${shell}".`);
    context.terminal.stdout.write(bashCompletion(commandIndex.map(({ name }) => name)));
    return Promise.resolve();
  });
}

const clusterCommands = ['up', 'down', 'stop', 'start', 'status', 'token', 'join'];

/** Completes commands, then types, then names of objects, which are asked from the server. */
function bashCompletion(names: readonly string[]): string {
  return `# bash completion of knarr
_knarr() {
  local word=\${COMP_WORDS[COMP_CWORD]} verb=\${COMP_WORDS[1]} type=\${COMP_WORDS[2]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${[...clusterCommands, ...names].sort().join(' ')}" -- "$word"))
    return
  fi
  case $verb in
    get | describe | delete | edit | patch | label | annotate | scale | rollout | explain | wait | expose | autoscale)
      if [ "$COMP_CWORD" -eq 2 ]; then
        COMPREPLY=($(compgen -W "$(knarr api-resources -o name 2>/dev/null | cut -d. -f1)" -- "$word"))
      elif [[ $word != -* ]]; then
        COMPREPLY=($(compgen -W "$(knarr get "$type" -o jsonpath='{.items[*].metadata.name}' 2>/dev/null)" -- "$word"))
      fi
      ;;
    logs | exec | attach | port-forward | cp | debug)
      COMPREPLY=($(compgen -W "$(knarr get pods -o jsonpath='{.items[*].metadata.name}' 2>/dev/null)" -- "$word"))
      ;;
    cordon | uncordon | drain)
      COMPREPLY=($(compgen -W "$(knarr get nodes -o jsonpath='{.items[*].metadata.name}' 2>/dev/null)" -- "$word"))
      ;;
  esac
}
complete -o default -F _knarr knarr
`;
}
