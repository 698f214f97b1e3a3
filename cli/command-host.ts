import type { Command } from 'commander';
import { Failure } from './cluster/failure.js';
import { CommandContext, type Terminal } from './context.js';
import type { GlobalFlags } from './flags.js';

/** What a command module exports. */
export interface CommandModule {
  register(program: Command, host: CommandHost): void;
}

/** What a command does; `args` are the words after its name. */
export type Run<Flags> = (context: CommandContext, flags: Flags & GlobalFlags, args: Arguments) => Promise<void>;

export interface Arguments {
  /** All words that are not flags. */
  readonly words: readonly string[];
  /** How many of them stand in front of `--`; absent where there is none. */
  readonly dashAt: number | undefined;
}

/** Connects commander's commands with the terminal that they run in. */
export class CommandHost {
  readonly #terminal: Terminal;
  dashAt: number | undefined;
  exitCode = 0;
  /** Address of the server that the command spoke to, for messages. */
  server = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Makes `run` the action of `command`. */
  bind<Flags>(command: Command, run: Run<Flags>): Command {
    return command.argument('[args...]').action(async (words: string[], flags: Flags & GlobalFlags) => {
      const context = new CommandContext(this.#terminal, flags);
      try {
        await run(context, flags, { words, dashAt: this.dashAt });
        if (flags.warningsAsErrors && context.warnings > 0) throw new Failure(warningsText(context.warnings));
      } finally {
        this.server = context.server;
        context.close();
      }
    });
  }
}

const warningsText = (count: number): string => `${count} warning${count === 1 ? '' : 's'} received`;
