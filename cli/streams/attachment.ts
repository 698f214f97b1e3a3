import type { Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import type { CommandContext } from '../context.js';
import { ExitError } from '../failures.js';
import { queryText } from '../server-api.js';
import { runRemoteCommand } from './remote-command.js';

export interface Attachment {
  readonly container: string;
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** Connects this terminal with a running container until it ends. @throws ExitError with its exit code. */
export async function attachToPod(
  context: CommandContext,
  pod: Pod,
  { container, stdin, tty }: Attachment,
): Promise<void> {
  const { terminal } = context;
  const { containers, ephemeralContainers = [] } = pod.spec;
  const hasTty = [...containers, ...ephemeralContainers].find((each) => each.name === container)?.tty === true;
  const isTty = tty && stdin && hasTty && terminal.stdin.isTTY === true;
  const [mapper, client] = await Promise.all([context.mapper(), context.client()]);
  const path = resourcePath(mapper.resolve('pods'), pod.metadata.namespace, pod.metadata.name, 'attach');
  const query = queryText({
    container,
    stdin: stdin || undefined,
    stdout: true,
    stderr: hasTty ? undefined : true,
    tty: hasTty || undefined,
  });
  const exitCode = await runRemoteCommand({ client, path: path + query, withStdin: stdin, isTty }, terminal);
  if (exitCode !== 0) throw new ExitError(exitCode);
}
