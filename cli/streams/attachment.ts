import type { Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import type { CommandContext } from '../context.js';
import { ExitError } from '../failures.js';
import { queryText } from '../server-api.js';
import { noTerminal, runRemoteCommand } from './remote-command.js';

export interface Attachment {
  readonly container: string;
  readonly stdin: boolean;
  readonly quiet: boolean;
}

/** Connects this terminal with a running container until it ends. @throws ExitError with its exit code. */
export async function attachToPod(
  context: CommandContext,
  pod: Pod,
  { container, stdin, quiet }: Attachment,
): Promise<void> {
  const { terminal } = context;
  const { containers, ephemeralContainers = [] } = pod.spec;
  const hasTty = [...containers, ...ephemeralContainers].find((each) => each.name === container)?.tty === true;
  // A container with a terminal is met with one, asked for or not: its output is made for that.
  const isTty = hasTty && stdin && terminal.stdin.isTTY === true;
  if (hasTty && stdin && !isTty && !quiet) context.tell(noTerminal);
  if (!quiet) context.tell(sessionIsLogged);
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
  if (isTty && !quiet && pod.spec.restartPolicy === 'Always') context.print(sessionEnd(pod, container));
}

const sessionIsLogged =
  "All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.";

/** How a session on a terminal goes on. */
function sessionEnd({ metadata: { name }, spec }: Pod, container: string): string {
  const command = `knarr attach ${name} -c ${container} -i -t`;
  return spec.ephemeralContainers?.some((each) => each.name === container)
    ? `Session ended, the ephemeral container will not be restarted but may be reattached using '${command}' if it is still running`
    : `Session ended, resume using '${command}' command when the pod is running`;
}
